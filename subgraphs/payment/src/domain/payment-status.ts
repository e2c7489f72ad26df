export type PaymentStatus =
  | 'PENDING'
  | 'APPROVED'
  | 'DECLINED'
  | 'REFUNDED'
  | 'PARTIALLY_REFUNDED'
  /** The provider keeps refusing the refund: an operator resolves it. */
  | 'REFUND_FAILED'
  /** Closed before any charge; nothing can be charged any more. */
  | 'VOIDED';

/** Did the provider charge the customer, whatever was refunded since? */
export function isCharged(status: PaymentStatus): boolean {
  return status !== 'PENDING' && status !== 'DECLINED' && status !== 'VOIDED';
}
