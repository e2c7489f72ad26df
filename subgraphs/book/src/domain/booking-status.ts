export type BookingStatus =
  | 'REQUESTED'
  | 'PAYMENT_DEFERRED'
  | 'PAID'
  | 'REGISTERED'
  | 'CANCELLING'
  | 'CANCELLED'
  | 'DECLINED'
  | 'EXPIRED';

/** On whose behalf a booking is looked at or changed. */
export type Party = 'customer' | 'host' | 'operator';
