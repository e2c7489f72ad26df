import { findSlotProblem } from './booking-rules.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import type { AddOnSelection } from './price-quote.ts';
import type { RequestProblem } from './request-problem.ts';
import type { TimeSlot } from './time-slot.ts';

/** The input of a customer. */
export interface BookingRequest {
  customerId: string;
  idempotencyKey: string;
  spaceId: string;
  slot: TimeSlot;
  headcount: number;
  paymentMethod: string;
  addOns: readonly AddOnSelection[];
  /** The customer's words to the host. */
  note: string | null;
}

const MAX_TOKEN_LENGTH = 200;
const MAX_NOTE_LENGTH = 500;

/**
 * The first rule of the space, or of all bookings, that the request breaks. Headcount and add-ons are
 * checked where they are priced.
 */
export function findProblem(
  request: BookingRequest,
  space: CatalogueSpace,
  now: Date,
): RequestProblem | undefined {
  return (
    findSlotProblem(request.slot, space, now) ??
    findTokenProblem('paymentMethod', request.paymentMethod) ??
    findTokenProblem('idempotencyKey', request.idempotencyKey) ??
    findNoteProblem(request.note)
  );
}

function findNoteProblem(note: string | null): RequestProblem | undefined {
  // Line breaks and tabs are allowed.
  if (note === null || (note.length <= MAX_NOTE_LENGTH && !/(?![\n\r\t])\p{Cc}/u.test(note)))
    return undefined;
  return {
    field: 'note',
    message: `The note must have at most ${MAX_NOTE_LENGTH} characters, none a control character.`,
  };
}

/** What is wrong with a key or token of 1 to 200 characters. */
export function findTokenProblem(field: string, text: string): RequestProblem | undefined {
  if (text.trim() !== '' && text.length <= MAX_TOKEN_LENGTH && !/\p{Cc}/u.test(text))
    return undefined;
  return {
    field,
    message: `The ${field} must have 1 to ${MAX_TOKEN_LENGTH} characters, none a control character.`,
  };
}
