import type { PaymentStatus } from './payment-status.ts';

/** What was asked for does not fit the payment's present status. */
export interface IllegalTransition {
  type: 'IllegalTransition';
  from: PaymentStatus;
  verb: string;
}
