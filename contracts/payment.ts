import { z } from 'zod';
import { currency, timeSlot } from './values.ts';

export const paymentStatus = z.enum([
  'PENDING',
  'APPROVED',
  'DECLINED',
  'REFUNDED',
  'PARTIALLY_REFUNDED',
  'REFUND_FAILED',
  'VOIDED',
]);

/** The payment as it is after the event, and what it pays for. */
const paymentFacts = z.object({
  paymentId: z.uuid(),
  bookingId: z.uuid(),
  spaceId: z.uuid(),
  slot: timeSlot,
  status: paymentStatus,
  amount: z.int().min(0),
  refunded: z.int().min(0),
  currency,
});
export type PaymentFacts = z.infer<typeof paymentFacts>;

export const paymentEvents = {
  /**
   * The money is taken; the use is registered if book says that the booking is paid. Not published
   * while a refund is owed: such a charge ends in PaymentCancelled alone. Book asks.
   */
  PaymentApproved: {
    topic: 'payment-approved',
    payload: paymentFacts,
  },
  /** The provider keeps refusing the refund; operators resolve it, and PaymentCancelled follows. */
  PaymentRefundFailed: { topic: 'payment', payload: paymentFacts },
  PaymentDeclined: { topic: 'payment', payload: paymentFacts },
  /** Nothing more is owed either way: refunded as quoted, or voided before any money was taken. */
  PaymentCancelled: { topic: 'payment', payload: paymentFacts },
} as const;
