import type { PaymentStatus } from './payment-status.ts';

/** The payment's status does not permit the transition. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: PaymentStatus;
  verb: string;
}

/** The refund's state does not permit the operator's resolution. */
export type RefundRefusal =
  | { type: 'PaymentNotFound'; message: string }
  | { type: 'InvalidRefund'; message: string };
