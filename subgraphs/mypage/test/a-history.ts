import { v7 as uuidv7 } from 'uuid';
import { dayOfWeek, defaultTerms } from '#contracts/space.ts';
import type { TimeSlot } from '#contracts/values.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';
import type { SpaceEvent } from '../src/space-view.ts';

type EventOf<Aggregate> = Extract<ProjectedEvent, { aggregate: Aggregate }>;
type Status = EventOf<'booking'>['payload']['status'];
type PaymentStatus = EventOf<'payment'>['payload']['status'];
type RegistrationStatus = EventOf<'registration'>['payload']['status'];

const T0 = Date.UTC(2030, 4, 1);
export const SPACE_ID = '01900000-0000-7000-8000-000000000001';
export const SLOT: TimeSlot = {
  startAt: new Date('2030-06-03T01:00:00.000Z'),
  endAt: new Date('2030-06-03T03:00:00.000Z'),
};

/** What differs from the usual event. */
export interface Changes {
  bookingId?: string;
  customerId?: string;
  spaceName?: string;
  slot?: TimeSlot;
  spaceId?: string;
  hostId?: string;
  headcount?: number;
  note?: string;
  requestedAt?: Date;
  decideBefore?: Date | null;
  change?: { changeId: string; difference: number };
  price?: { amount: number; currency: 'KRW' | 'USD' };
  /** Seconds after the beginning of the history. */
  second?: number;
}

const envelope = (version: number, second = version) => ({
  id: uuidv7(),
  version,
  occurredAt: new Date(T0 + second * 1_000),
});

export function bookingEvent(
  version: number,
  status: Status,
  changes: Changes = {},
): EventOf<'booking'> {
  return {
    ...envelope(version, changes.second),
    aggregate: 'booking',
    payload: {
      bookingId: changes.bookingId ?? 'b1',
      customerId: changes.customerId ?? 'chulsoo',
      spaceId: changes.spaceId ?? SPACE_ID,
      spaceName: changes.spaceName ?? 'Loft',
      slot: changes.slot ?? SLOT,
      price: changes.price ?? { amount: 60_000, currency: 'KRW' },
      status,
      refund: { amount: 0, currency: 'KRW' },
      // Absent unless given, as in events of earlier releases.
      ...pick(changes, ['hostId', 'headcount', 'note', 'requestedAt', 'decideBefore', 'change']),
    },
  };
}

export function paymentEvent(
  version: number,
  status: PaymentStatus,
  changes: Changes & { refunded?: number } = {},
): EventOf<'payment'> {
  return {
    ...envelope(version, changes.second),
    aggregate: 'payment',
    payload: {
      paymentId: uuidv7(),
      bookingId: changes.bookingId ?? 'b1',
      spaceId: changes.spaceId ?? SPACE_ID,
      slot: changes.slot ?? SLOT,
      status,
      amount: changes.price?.amount ?? 60_000,
      refunded: changes.refunded ?? 0,
      currency: changes.price?.currency ?? 'KRW',
    },
  };
}

export function registrationEvent(
  version: number,
  status: RegistrationStatus,
  changes: Changes = {},
): EventOf<'registration'> {
  return {
    ...envelope(version, changes.second),
    aggregate: 'registration',
    payload: {
      registrationId: uuidv7(),
      bookingId: changes.bookingId ?? 'b1',
      paymentId: uuidv7(),
      status,
      reason: null,
    },
  };
}

/** A space of `haru`, open from 9 to 18 on every day. */
export function spaceEvent(
  version: number,
  changes: Partial<SpaceEvent['payload']> = {},
): SpaceEvent {
  return {
    ...envelope(version),
    aggregate: 'space',
    payload: {
      spaceId: SPACE_ID,
      hostId: 'haru',
      name: 'Loft',
      timeZone: 'Asia/Seoul',
      capacity: 10,
      hourlyRate: 30_000,
      currency: 'KRW',
      openingHours: dayOfWeek.options.map((day) => ({ day, opens: '09:00', closes: '18:00' })),
      refundTiers: [],
      ...defaultTerms(10),
      ...changes,
    },
  };
}

function pick<Source extends object, Key extends keyof Source>(
  source: Source,
  keys: readonly Key[],
): Pick<Source, Key> {
  const entries = keys.filter((key) => key in source).map((key) => [key, source[key]]);
  return Object.fromEntries(entries);
}

/** All events of a booking that is paid, registered, cancelled and partly refunded. */
export function wholeHistory(changes: Changes = {}): ProjectedEvent[] {
  return [
    bookingEvent(1, 'REQUESTED', { ...changes, second: 0 }),
    paymentEvent(2, 'APPROVED', { ...changes, second: 1 }),
    bookingEvent(2, 'PAID', { ...changes, second: 2 }),
    registrationEvent(1, 'REGISTERED', { ...changes, second: 3 }),
    bookingEvent(3, 'REGISTERED', { ...changes, second: 4 }),
    bookingEvent(4, 'CANCELLING', { ...changes, second: 5 }),
    registrationEvent(2, 'CANCELLED', { ...changes, second: 6 }),
    paymentEvent(3, 'PARTIALLY_REFUNDED', { ...changes, second: 7, refunded: 30_000 }),
    bookingEvent(6, 'CANCELLED', { ...changes, second: 8 }),
  ];
}
