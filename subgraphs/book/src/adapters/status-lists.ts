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

export const EXPIRING = toList(expiringStatuses);
export const PENDING = toList(pendingStatuses);
export const CHECKED = toList(checkedStatuses);
export const FINAL = toList(finalStatuses);
