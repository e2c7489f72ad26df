export type PaymentStatus =
  | 'PENDING'
  | 'APPROVED'
  | 'DECLINED'
  | 'REFUNDED'
  | 'PARTIALLY_REFUNDED'
  /** Closed before any money was taken; nothing can be taken for it any more. */
  | 'VOIDED';
