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

/**
 * The whole state of the payment after the event, and the space and slot that it first paid for. `amount` is the
 * sum of all charges.
 */
const paymentPayload = z.object({
  paymentId: z.uuid(),
  bookingId: z.uuid(),
  spaceId: z.uuid(),
  slot: timeSlot,
  status: paymentStatus,
  amount: z.int().min(0),
  refunded: z.int().min(0),
  currency,
  /** Of `refunded`, what operators gave back beyond the policy; absent in events of release 0.2.0. */
  goodwill: z.int().min(0).optional(),
  /** Of `refunded`, what was given back because the booking changed; absent in events of release 0.2.0. */
  refundedForChanges: z.int().min(0).optional(),
});
export type PaymentPayload = z.infer<typeof paymentPayload>;

export const paymentEvents = {
  /**
   * The provider has charged the customer. Space registers the use when the booking is paid as well. Not
   * published when a refund is owed: then PaymentCancelled follows. Book does not consume it: it gets
   * the outcome from the response to its own request.
   */
  PaymentApproved: {
    topic: 'payment-approved',
    payload: paymentPayload,
  },
  /** The provider keeps refusing the refund. An operator resolves it, and PaymentCancelled follows. */
  PaymentRefundFailed: { topic: 'payment', payload: paymentPayload },
  /** An operator gave back part of the charge beyond what the policy says. */
  PaymentRefunded: { topic: 'payment', payload: paymentPayload },
  /** A change of the booking was charged, or gave back a part of the charges. */
  PaymentAdjusted: { topic: 'payment', payload: paymentPayload },
  PaymentDeclined: { topic: 'payment', payload: paymentPayload },
  /** Nothing more is owed: refunded as quoted, or voided before a charge. */
  PaymentCancelled: { topic: 'payment', payload: paymentPayload },
} as const;
