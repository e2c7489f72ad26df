import {
  type BookingStatus,
  checkedStatuses,
  expiringStatuses,
  finalStatuses,
  pendingStatuses,
} from '../domain/lifecycle.ts';

/*
 * The statuses of the lifecycle as SQL lists. Literals, not parameters: the planner uses a partial
 * index only where the text of the condition implies the index's predicate.
 */

const toList = (statuses: readonly BookingStatus[]): string =>
  statuses.map((status) => `'${status}'`).join(', ');

/** SQL condition on a booking: it is past the deadline of its status, or of the change that is under way. */
export const IS_STUCK = `(status IN (${toList(pendingStatuses)}) OR change_id IS NOT NULL)
  AND deadline_at <= now()`;

export const EXPIRING = toList(expiringStatuses);
export const PENDING = toList(pendingStatuses);
export const CHECKED = toList(checkedStatuses);
export const FINAL = toList(finalStatuses);
