import type { BookingRecords } from '../../src/domain/consistency.ts';

const SPACE = 'space-1';
const START = new Date('2030-01-31T10:00:00Z');
export const END = new Date('2030-01-31T12:00:00Z');

type Changes = { [Name in keyof BookingRecords]?: Partial<BookingRecords[Name]> | null };

/** A confirmed booking of 30,000 as all contexts store it, with changes. */
export function records(changes: Changes = {}): BookingRecords {
  const confirmed = {
    booking: {
      id: 'booking-1',
      status: 'REGISTERED',
      spaceId: SPACE,
      startAt: START,
      endAt: END,
      price: 30_000,
      refund: null,
      overlaps: 0,
      isPassing: false,
    },
    payment: {
      paymentId: 'payment-1',
      status: 'APPROVED',
      amount: 30_000,
      refunded: 0,
      goodwill: 0,
      refundedForChanges: 0,
      refundDue: null,
      isPassing: false,
      chargedByProvider: true,
    },
    registration: {
      paymentId: 'payment-1',
      spaceId: SPACE,
      startAt: START.toISOString(),
      endAt: END.toISOString(),
      status: 'REGISTERED',
      isPassing: false,
      overlaps: 0,
    },
    view: {
      status: 'REGISTERED',
      paymentStatus: 'APPROVED',
      refunded: 0,
      registrationStatus: 'REGISTERED',
    },
  };
  const changed = Object.entries(confirmed).map(([name, record]) => {
    const change = changes[name as keyof typeof confirmed];
    return [name, change === null ? null : { ...record, ...change }];
  });
  return { bookingId: 'booking-1', ...Object.fromEntries(changed) } as BookingRecords;
}

/** The same, cancelled with 15,000 refunded, with changes. */
export const cancelled = (changes: Changes = {}) =>
  records({
    booking: { status: 'CANCELLED', refund: 15_000, ...changes.booking },
    payment: {
      status: 'PARTIALLY_REFUNDED',
      refunded: 15_000,
      refundDue: 15_000,
      ...changes.payment,
    },
    registration: { status: 'CANCELLED', ...changes.registration },
    view: {
      status: 'CANCELLED',
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: 15_000,
      registrationStatus: 'CANCELLED',
      ...changes.view,
    },
  });
