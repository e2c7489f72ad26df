import { z } from 'zod';
import { instant, money, timeSlot } from './values.ts';

export const bookingStatus = z.enum([
  'AWAITING_APPROVAL',
  'REJECTED',
  'REQUESTED',
  'PAYMENT_DEFERRED',
  'PAID',
  'REGISTERED',
  'CANCELLING',
  'CANCELLED',
  'DECLINED',
  'EXPIRED',
]);

/**
 * No status follows these; what the rest of the system knows of a booking, such as its refund, may still change.
 * A test of book compares them with its table of the lifecycle.
 */
export const finalBookingStatuses: ReadonlySet<string> = new Set<z.infer<typeof bookingStatus>>([
  'REJECTED',
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
  /*
   * The fields below are absent in events of release 0.2.0 and earlier, whose spaces have no buffers and no
   * approval.
   */
  hostId: z.string().optional(),
  headcount: z.int().min(1).optional(),
  /** The customer's words to the host. */
  note: z.string().nullable().optional(),
  requestedAt: instant.optional(),
  /** What the booking occupies: its slot with the buffers before and after. */
  hold: timeSlot.optional(),
  /** Until when the host may decide; null unless the booking awaits the decision. */
  decideBefore: instant.nullable().optional(),
  /**
   * Only in BookingRescheduled: what changed the booking. `difference` is what the new price is more than the
   * old one, in minor units; negative: less.
   */
  change: z.object({ changeId: z.uuid(), difference: z.int() }).optional(),
});
export type BookingPayload = z.infer<typeof bookingPayload>;

/** Every change of a booking's status is exactly one of these events. */
export const bookingEvents = {
  /** The booking holds its slot (`AWAITING_APPROVAL`, `REQUESTED`). */
  Booked: { topic: 'booking', payload: bookingPayload },
  /** The payment is approved while the booking holds its slot (`PAID`). Space registers no use without it. */
  BookingPaid: { topic: 'booking', payload: bookingPayload },
  /** A change that only mypage consumes (`PAYMENT_DEFERRED`, `REGISTERED`). */
  BookingStatusChanged: { topic: 'booking', payload: bookingPayload },
  /**
   * The booking has another slot, headcount or set of add-ons (`REGISTERED`), and a higher price is paid. Payment
   * refunds what a lower one is less, and space moves the registration. Until then book holds both slots.
   */
  BookingRescheduled: { topic: 'booking', payload: bookingPayload },
  /** A cancellation is accepted (`CANCELLING`). Payment refunds, and space cancels the registration. */
  BookingCancelled: {
    topic: 'booking',
    payload: bookingPayload,
  },
  /** The slot is free again (`REJECTED`, `DECLINED`, `EXPIRED`, `CANCELLED`). */
  BookingReleased: {
    topic: 'booking',
    payload: bookingPayload,
  },
} as const;

const changePayload = z.object({
  changeId: z.uuid(),
  bookingId: z.uuid(),
  /** What payment was requested to charge for it, in minor units; negative: to reserve. */
  difference: z.int(),
});
export type ChangePayload = z.infer<typeof changePayload>;

export const changeEvents = {
  /**
   * A change of a booking does not take place, and its charge may have been made: payment prevents or refunds it,
   * or frees what it has reserved.
   */
  BookingChangeReleased: { topic: 'booking-change', payload: changePayload },
} as const;

const blockPayload = z.object({
  blockId: z.uuid(),
  spaceId: z.uuid(),
  hostId: z.string(),
  slot: timeSlot,
  reason: z.string(),
});
export type BlockPayload = z.infer<typeof blockPayload>;

export const blockEvents = {
  /** The host closed a time of a space: nobody can book it. */
  SlotBlocked: { topic: 'block', payload: blockPayload },
  SlotUnblocked: { topic: 'block', payload: blockPayload },
} as const;
