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
