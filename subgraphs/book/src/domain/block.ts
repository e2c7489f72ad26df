import { findTokenProblem } from './booking-request.ts';
import type { RequestProblem } from './request-problem.ts';
import { lengthMs, type TimeSlot } from './time-slot.ts';

/** A time that the host closed: nobody can book it. */
export interface Block {
  id: string;
  spaceId: string;
  hostId: string;
  slot: TimeSlot;
  reason: string;
  createdBy: string;
  idempotencyKey: string;
  /** Since then the time is open again; null: it is closed. */
  removedAt: Date | null;
}

/** The input of a host. */
export type BlockRequest = Pick<Block, 'spaceId' | 'slot' | 'reason' | 'idempotencyKey'>;

const DAY_MS = 24 * 3_600_000;
const MAX_DAYS = 366;
const MAX_YEARS_AHEAD = 10;
const MAX_REASON_LENGTH = 200;

/** The first rule that the request breaks. A block may have begun, and need not lie on the grid. */
export function findBlockProblem(
  { slot, reason, idempotencyKey }: BlockRequest,
  now: Date,
): RequestProblem | undefined {
  if (slot.endAt <= slot.startAt) {
    return { field: 'slot.endAt', message: 'The slot must end after it starts.' };
  }
  if (slot.endAt <= now) {
    return { field: 'slot.endAt', message: 'The slot must end in the future.' };
  }
  if (lengthMs(slot) > MAX_DAYS * DAY_MS) {
    return { field: 'slot', message: `The slot must be no longer than ${MAX_DAYS} days.` };
  }
  if (slot.endAt.getTime() > now.getTime() + MAX_YEARS_AHEAD * MAX_DAYS * DAY_MS) {
    return { field: 'slot.endAt', message: `The slot must end within ${MAX_YEARS_AHEAD} years.` };
  }
  if (reason.length > MAX_REASON_LENGTH || /\p{Cc}/u.test(reason)) {
    return {
      field: 'reason',
      message: `The reason must have at most ${MAX_REASON_LENGTH} characters, none a control character.`,
    };
  }
  return findTokenProblem('idempotencyKey', idempotencyKey);
}

/** Whether the block was made by an equal request. */
export function isSameBlock(block: Block, { spaceId, slot, reason }: BlockRequest): boolean {
  return (
    block.spaceId === spaceId &&
    block.slot.startAt.getTime() === slot.startAt.getTime() &&
    block.slot.endAt.getTime() === slot.endAt.getTime() &&
    block.reason === reason
  );
}
