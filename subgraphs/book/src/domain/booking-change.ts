import { Booking } from './booking.ts';
import type { BookingState } from './booking-state.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import { nextStatus } from './lifecycle.ts';
import { type AddOnSelection, isSameUse, type PricedUse, type PriceQuote } from './price-quote.ts';
import type { IllegalTransition } from './refusals.ts';
import { isSameSlot, type TimeSlot } from './time-slot.ts';

/** What a change replaces: what is booked, and the terms that come with it. */
export type BookedTerms = Pick<
  BookingState,
  | 'slot'
  | 'headcount'
  | 'addOns'
  | 'price'
  | 'priceLines'
  | 'vat'
  | 'refundTiers'
  | 'bufferBeforeMinutes'
  | 'bufferAfterMinutes'
>;

/** EXPIRED: not applied, because the payment did not come in time or the booking was cancelled. */
export type ChangeState = 'PENDING' | 'APPLIED' | 'DECLINED' | 'EXPIRED';

/** Another slot, headcount or set of add-ons of a registered booking. */
export interface BookingChange {
  id: string;
  bookingId: string;
  idempotencyKey: string;
  state: ChangeState;
  from: BookedTerms;
  to: BookedTerms;
  /** What the customer pays more, in minor units; negative: gets back. */
  difference: number;
  requestedAt: Date;
  /** When it was applied, declined or expired; null: it is PENDING. */
  endedAt: Date | null;
  /** When the hold of the new slot ends unless the payment comes first. */
  expiresAt: Date;
}

/** The input of a customer; null: as it is booked. */
export interface ChangeRequest {
  bookingId: string;
  idempotencyKey: string;
  slot: TimeSlot | null;
  headcount: number | null;
  addOns: readonly AddOnSelection[] | null;
  /** The difference that the customer was shown, in minor units. */
  expectedDifference: number;
}

/** What would be booked after the request. */
export function toChangedUse(
  { state }: Booking,
  { slot, headcount, addOns }: Pick<ChangeRequest, 'slot' | 'headcount' | 'addOns'>,
): PricedUse {
  return {
    slot: slot ?? state.slot,
    headcount: headcount ?? state.headcount,
    addOns: addOns ?? state.addOns,
  };
}

/** Whether the change was made by an equal request. */
export function isSameChange(
  { from, to, difference }: BookingChange,
  request: ChangeRequest,
): boolean {
  const { slot, headcount, addOns, expectedDifference } = request;
  // What a request leaves out stays as it was booked before.
  const requested = {
    slot: slot ?? from.slot,
    headcount: headcount ?? from.headcount,
    addOns: addOns ?? from.addOns,
  };
  return difference === expectedDifference && isSameUse(to, requested);
}

/** The terms of the booking after the change; a slot that stays keeps its buffers and refund tiers. */
export function toChangedTerms(
  { state }: Booking,
  use: PricedUse,
  { total, lines, vat }: PriceQuote,
  { refundTiers, bookingRules }: Pick<CatalogueSpace, 'refundTiers' | 'bookingRules'>,
): BookedTerms {
  const slotTerms = isSameSlot(use.slot, state.slot) ? state : { ...bookingRules, refundTiers };
  return {
    slot: use.slot,
    headcount: use.headcount,
    addOns: use.addOns,
    price: total,
    priceLines: lines,
    vat,
    refundTiers: slotTerms.refundTiers,
    bufferBeforeMinutes: slotTerms.bufferBeforeMinutes,
    bufferAfterMinutes: slotTerms.bufferAfterMinutes,
  };
}

/** What is booked now. */
export function toBookedTerms({ state }: Booking): BookedTerms {
  const { slot, headcount, addOns, price, priceLines, vat, refundTiers } = state;
  const { bufferBeforeMinutes, bufferAfterMinutes } = state;
  return {
    ...{ slot, headcount, addOns, price, priceLines, vat, refundTiers },
    ...{ bufferBeforeMinutes, bufferAfterMinutes },
  };
}

/** The version in which the change is requested: the booking is as it was, and holds both slots. */
export function beginChange(
  booking: Booking,
  change: Pick<BookingChange, 'id'>,
): Booking | IllegalTransition {
  if (booking.state.openChange)
    return { type: 'IllegalTransition', from: booking.state.status, verb: 'reschedule' };
  return withChange(booking, { openChange: { id: change.id, appliedIn: null } });
}

/** The version in which the change takes place; the old slot is held until the registration has moved. */
export function applyChange(
  booking: Booking,
  { id, to }: Pick<BookingChange, 'id' | 'to'>,
): Booking | IllegalTransition {
  const { openChange, version } = booking.state;
  if (openChange?.id !== id || openChange.appliedIn !== null) {
    return { type: 'IllegalTransition', from: booking.state.status, verb: 'reschedule' };
  }
  return withChange(booking, { ...to, openChange: { id, appliedIn: version + 1 } });
}

/** The version in which nothing of the change is left, or nothing of it is awaited any more. */
export function endChange(booking: Booking): Booking {
  const { state } = booking;
  return new Booking({ ...state, openChange: null, version: state.version + 1 });
}

function withChange(
  { state }: Booking,
  changes: Partial<BookingState>,
): Booking | IllegalTransition {
  const status = nextStatus('reschedule', state.status);
  if (!status) return { type: 'IllegalTransition', from: state.status, verb: 'reschedule' };
  return new Booking({ ...state, ...changes, status, version: state.version + 1 });
}
