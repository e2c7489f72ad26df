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

/** The whole state of the booking after the event: consumers do not need the earlier events. */
const bookingPayload = z.object({
  bookingId: z.uuid(),
  customerId: z.string(),
  spaceId: z.uuid(),
  spaceName: z.string(),
  slot: timeSlot,
  price: money,
  status: bookingStatus,
  /** The refund of a charge when the booking is cancelled or released. */
  refund: money,
});
export type BookingPayload = z.infer<typeof bookingPayload>;

/** Every change of a booking's status is exactly one of these events. */
export const bookingEvents = {
  /** The booking holds its slot (`REQUESTED`). */
  Booked: { topic: 'booking', payload: bookingPayload },
  /** The payment is approved while the booking holds its slot (`PAID`). Space registers no use without it. */
  BookingPaid: { topic: 'booking', payload: bookingPayload },
  /** A change that only mypage consumes (`PAYMENT_DEFERRED`, `REGISTERED`). */
  BookingStatusChanged: { topic: 'booking', payload: bookingPayload },
  /** A cancellation is accepted (`CANCELLING`). Payment refunds, and space cancels the registration. */
  BookingCancelled: {
    topic: 'booking',
    payload: bookingPayload,
  },
  /** The slot is free again (`DECLINED`, `EXPIRED`, `CANCELLED`). */
  BookingReleased: {
    topic: 'booking',
    payload: bookingPayload,
  },
} as const;
