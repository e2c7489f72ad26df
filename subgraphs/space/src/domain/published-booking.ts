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

interface Slot {
  startAt: Date;
  endAt: Date;
}

interface Use {
  bookingId: string;
  spaceId: string;
  slot: Slot;
}

/** A booking as book published it; of two versions the newer one counts. */
export interface PublishedBooking extends Use {
  /** The slot with the buffers before and after it; left out: the slot. */
  hold?: Slot | undefined;
  status: BookingStatus;
  version: number;
}

/** A time that the host closed, or opened again, as book published it. */
export interface PublishedBlock {
  blockId: string;
  spaceId: string;
  slot: Slot;
  isBlocked: boolean;
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
