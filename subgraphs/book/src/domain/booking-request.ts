import type { CatalogueSpace } from './catalogue-space.ts';
import { isOpenDuring } from './opening-hours.ts';
import { lengthMs, type TimeSlot } from './time-slot.ts';

/** The input of a customer. */
export interface BookingRequest {
  customerId: string;
  idempotencyKey: string;
  spaceId: string;
  slot: TimeSlot;
  headcount: number;
  paymentMethod: string;
}

const MAX_SLOT_MS = 31 * 24 * 3_600_000;
const MAX_TOKEN_LENGTH = 200;

/** A field of the request that breaks a rule; the message ends with a full stop. */
export interface RequestProblem {
  field: string;
  message: string;
}

/** The first rule of the space, or of all bookings, that the request breaks. */
export function findProblem(
  request: BookingRequest,
  space: CatalogueSpace,
  now: Date,
): RequestProblem | undefined {
  const { slot, headcount } = request;
  if (slot.endAt <= slot.startAt) {
    return { field: 'slot.endAt', message: 'The slot must end after it starts.' };
  }
  if (slot.startAt <= now) {
    return { field: 'slot.startAt', message: 'The slot must start in the future.' };
  }
  if (lengthMs(slot) > MAX_SLOT_MS) {
    return { field: 'slot', message: 'The slot must be no longer than 31 days.' };
  }
  if (!isOpenDuring(slot, space.openingHours, space.timeZone)) {
    return {
      field: 'slot',
      message: `The slot must lie within the opening hours of ${space.name} (${space.timeZone}).`,
    };
  }
  if (headcount < 1) return { field: 'headcount', message: 'At least one person must come.' };
  if (headcount > space.capacity) {
    return {
      field: 'headcount',
      message: `${space.name} takes at most ${space.capacity} people, not ${headcount}.`,
    };
  }
  return (
    findTokenProblem('paymentMethod', request.paymentMethod) ??
    findTokenProblem('idempotencyKey', request.idempotencyKey)
  );
}

function findTokenProblem(field: string, text: string): RequestProblem | undefined {
  if (text.trim() !== '' && text.length <= MAX_TOKEN_LENGTH && !/\p{Cc}/u.test(text))
    return undefined;
  return {
    field,
    message: `The ${field} must have 1 to ${MAX_TOKEN_LENGTH} characters, none a control character.`,
  };
}
