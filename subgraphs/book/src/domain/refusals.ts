import type { BookingStatus, Verb } from './lifecycle.ts';
import type { PriceQuote } from './price-quote.ts';
import type { RefundStep } from './refund-schedule.ts';
import type { TimeSlot } from './time-slot.ts';

/** Refusals: rules that say no. They are returned, not thrown. */
export interface SlotUnavailable {
  type: 'SlotUnavailable';
  message: string;
  alternatives: TimeSlot[];
}
export interface InvalidBookingRequest {
  type: 'InvalidBookingRequest';
  message: string;
  /** The path of the input at fault, for example `slot.startAt`. */
  field: string;
}
export interface SpaceNotFound {
  type: 'SpaceNotFound';
  message: string;
}
export interface IdempotencyKeyReused {
  type: 'IdempotencyKeyReused';
  message: string;
}
/** The customer has reached the limit of unpaid holds. */
export interface TooManyPendingBookings {
  type: 'TooManyPendingBookings';
  message: string;
  limit: number;
}
export interface BookingNotFound {
  type: 'BookingNotFound';
  message: string;
}
export interface BookingNotCancellable {
  type: 'BookingNotCancellable';
  message: string;
  status: BookingStatus;
}
export interface BookingNotReconcilable {
  type: 'BookingNotReconcilable';
  message: string;
}
export interface BlockNotFound {
  type: 'BlockNotFound';
  message: string;
}
export interface BookingNotDecidable {
  type: 'BookingNotDecidable';
  message: string;
  status: BookingStatus;
}
export interface BookingNotReschedulable {
  type: 'BookingNotReschedulable';
  message: string;
  status: BookingStatus;
}
/** The price is not the one that the customer was shown. */
export interface PriceChanged {
  type: 'PriceChanged';
  message: string;
  quote: PriceQuote & { refundSchedule: RefundStep[] };
}
/** The booking's status does not admit the verb, such as an approval after expiry. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: BookingStatus;
  verb: Verb;
}
