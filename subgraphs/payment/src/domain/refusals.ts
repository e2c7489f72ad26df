import type { PaymentStatus } from './payment-status.ts';

/** What was asked for does not fit the payment's present status. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: PaymentStatus;
  verb: string;
}

/** An operator cannot resolve the refund so. */
export type RefundRefusal =
  | { type: 'PaymentNotFound'; message: string }
  | { type: 'InvalidRefund'; message: string };
