/** A booking's status in book. */
export type BookingStatus =
  | 'AWAITING_APPROVAL'
  | 'REJECTED'
  | 'REQUESTED'
  | 'PAYMENT_DEFERRED'
  | 'PAID'
  | 'REGISTERED'
  | 'CANCELLING'
  | 'CANCELLED'
  | 'DECLINED'
  | 'EXPIRED';

interface Use {
  bookingId: string;
  spaceId: string;
  slot: { startAt: Date; endAt: Date };
}

/** A booking as book published it; of two versions the newer one counts. */
export interface PublishedBooking extends Use {
  status: BookingStatus;
  version: number;
}

/** An approved payment. It alone registers nothing: the booking may have expired. */
export interface ApprovedPayment extends Use {
  paymentId: string;
}

const OCCUPIES: Record<BookingStatus, boolean> = {
  AWAITING_APPROVAL: true,
  REJECTED: false,
  REQUESTED: true,
  PAYMENT_DEFERRED: true,
  PAID: true,
  REGISTERED: true,
  CANCELLING: false,
  CANCELLED: false,
  DECLINED: false,
  EXPIRED: false,
};

/**
 * Does a booking of this status occupy its slot here? One that is being cancelled does not: its
 * registration is cancelled in the transaction that stores the status.
 */
export function occupiesSlot(status: BookingStatus): boolean {
  return OCCUPIES[status];
}
