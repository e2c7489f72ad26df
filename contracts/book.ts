import { z } from 'zod';
import { money, timeSlot } from './values.ts';

export const bookingStatus = z.enum([
  'REQUESTED',
  'PAYMENT_DEFERRED',
  'PAID',
  'REGISTERED',
  'CANCELLING',
  'CANCELLED',
  'DECLINED',
  'EXPIRED',
]);

/** The booking as it is after the event: consumers need no earlier event to understand a later one. */
const bookingFacts = z.object({
  bookingId: z.uuid(),
  customerId: z.string(),
  spaceId: z.uuid(),
  spaceName: z.string(),
  slot: timeSlot,
  price: money,
  status: bookingStatus,
  /** What is given back of whatever was charged, once the booking is given up. */
  refund: money,
});
export type BookingFacts = z.infer<typeof bookingFacts>;

/** Every change of a booking's status is exactly one of these events. */
export const bookingEvents = {
  /** The slot is held (`REQUESTED`). */
  Booked: { topic: 'booking', payload: bookingFacts },
  /** The payment is approved while the slot is held (`PAID`). Space registers no use without it. */
  BookingPaid: { topic: 'booking', payload: bookingFacts },
  /** A change that only mypage shows (`PAYMENT_DEFERRED`, `REGISTERED`). */
  BookingStatusChanged: { topic: 'booking', payload: bookingFacts },
  /** A cancellation is accepted (`CANCELLING`): refund, and cancel the registration. */
  BookingCancelled: {
    topic: 'booking',
    payload: bookingFacts,
  },
  /** The slot is free again (`DECLINED`, `EXPIRED`, `CANCELLED`). */
  BookingReleased: {
    topic: 'booking',
    payload: bookingFacts,
  },
} as const;
