import { v7 as uuidv7 } from 'uuid';
import type { TimeSlot } from '#contracts/values.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';

type Of<Kind> = Extract<ProjectedEvent, { of: Kind }>;
type Status = Of<'booking'>['facts']['status'];
type PaymentStatus = Of<'payment'>['facts']['status'];
type RegistrationStatus = Of<'registration'>['facts']['status'];

const T0 = Date.UTC(2030, 4, 1);
const SPACE_ID = '01900000-0000-7000-8000-000000000001';
export const SLOT: TimeSlot = {
  startAt: new Date('2030-06-03T01:00:00.000Z'),
  endAt: new Date('2030-06-03T03:00:00.000Z'),
};

export interface Told {
  bookingId?: string;
  customerId?: string;
  spaceName?: string;
  slot?: TimeSlot;
  /** Seconds after the history's beginning. */
  second?: number;
}

const about = (version: number, second = version) => ({
  id: uuidv7(),
  version,
  occurredAt: new Date(T0 + second * 1_000),
});

export function bookingEvent(version: number, status: Status, told: Told = {}): Of<'booking'> {
  return {
    ...about(version, told.second),
    of: 'booking',
    facts: {
      bookingId: told.bookingId ?? 'b1',
      customerId: told.customerId ?? 'chulsoo',
      spaceId: SPACE_ID,
      spaceName: told.spaceName ?? 'Loft',
      slot: told.slot ?? SLOT,
      price: { amount: 60_000, currency: 'KRW' },
      status,
      refund: { amount: 0, currency: 'KRW' },
    },
  };
}

export function paymentEvent(
  version: number,
  status: PaymentStatus,
  told: Told & { refunded?: number } = {},
): Of<'payment'> {
  return {
    ...about(version, told.second),
    of: 'payment',
    facts: {
      paymentId: uuidv7(),
      bookingId: told.bookingId ?? 'b1',
      spaceId: SPACE_ID,
      slot: told.slot ?? SLOT,
      status,
      amount: 60_000,
      refunded: told.refunded ?? 0,
      currency: 'KRW',
    },
  };
}

export function registrationEvent(
  version: number,
  status: RegistrationStatus,
  told: Told = {},
): Of<'registration'> {
  return {
    ...about(version, told.second),
    of: 'registration',
    facts: {
      registrationId: uuidv7(),
      bookingId: told.bookingId ?? 'b1',
      paymentId: uuidv7(),
      status,
      reason: null,
    },
  };
}

/** All that is told of a booking which was paid, registered, cancelled and partly refunded. */
export function wholeHistory(told: Told = {}): ProjectedEvent[] {
  return [
    bookingEvent(1, 'REQUESTED', { ...told, second: 0 }),
    paymentEvent(2, 'APPROVED', { ...told, second: 1 }),
    bookingEvent(2, 'PAID', { ...told, second: 2 }),
    registrationEvent(1, 'REGISTERED', { ...told, second: 3 }),
    bookingEvent(3, 'REGISTERED', { ...told, second: 4 }),
    bookingEvent(4, 'CANCELLING', { ...told, second: 5 }),
    registrationEvent(2, 'CANCELLED', { ...told, second: 6 }),
    paymentEvent(3, 'PARTIALLY_REFUNDED', { ...told, second: 7, refunded: 30_000 }),
    bookingEvent(6, 'CANCELLED', { ...told, second: 8 }),
  ];
}
