import type { PaymentStatus } from './payment-status.ts';

/** The payment's status does not permit the transition. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: PaymentStatus;
  verb: string;
}

/** The state of the charge or of its refunds does not permit what the operator requests. */
export type RefundRefusal =
  | { type: 'PaymentNotFound'; message: string }
  | { type: 'InvalidRefund'; message: string };

/** Another goodwill refund was requested under the key. */
export interface IdempotencyKeyReused {
  type: 'IdempotencyKeyReused';
  message: string;
}
