import { v7 as uuidv7 } from 'uuid';
import { DEFAULT_BOOKING_RULES, defaultTerms } from '#contracts/space.ts';
import { Booking } from '../src/domain/booking.ts';
import type { BookingRequest } from '../src/domain/booking-request.ts';
import type { CatalogueSpace } from '../src/domain/catalogue-space.ts';

/** Midnight in Seoul is 15:00 of the day before in UTC. */
export const NOW = new Date('2030-05-01T00:00:00Z');
export const HOLD_SECONDS = 900;
/** More than any test holds. */
export const MANY_HOLDS = 10_000;

export const CONTEXT = {
  id: 'b1',
  now: NOW,
  holdSeconds: HOLD_SECONDS,
  holidays: new Set<string>(),
  correlationId: 'c1',
};

export const secondsAfter = (instant: Date, seconds: number): Date =>
  new Date(instant.getTime() + seconds * 1_000);

/** Rules under which every slot of whole minutes within ten years may be booked. */
export const ANY_SLOT = {
  ...DEFAULT_BOOKING_RULES,
  ...{ stepMinutes: 1, minMinutes: 1, maxAdvanceDays: 3_650 },
};

export function aSpace(changes: Partial<CatalogueSpace> = {}): CatalogueSpace {
  return {
    id: '01900000-0000-7000-8000-000000000001',
    hostId: 'hana',
    name: 'Loft',
    timeZone: 'Asia/Seoul',
    capacity: 10,
    hourlyRate: 30_000,
    currency: 'KRW',
    openingHours: (
      ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const
    ).map((day) => ({ day, opens: '00:00', closes: '24:00' })),
    refundTiers: [
      { daysBefore: 7, percent: 100 },
      { daysBefore: 1, percent: 50 },
    ],
    ...defaultTerms(10),
    version: 1,
    ...changes,
  };
}

/** Two hours, a month after {@link NOW}. */
export function aRequest(changes: Partial<BookingRequest> = {}): BookingRequest {
  return {
    customerId: 'chulsoo',
    idempotencyKey: uuidv7(),
    spaceId: aSpace().id,
    slot: { startAt: new Date('2030-06-03T01:00:00Z'), endAt: new Date('2030-06-03T03:00:00Z') },
    headcount: 2,
    paymentMethod: 'pm_ok',
    addOns: [],
    note: null,
    ...changes,
  };
}

/** A booking as it is after its request. */
export function aBooking(
  changes: Partial<BookingRequest> = {},
  made: { space?: CatalogueSpace; now?: Date } = {},
): Booking {
  const booking = Booking.request(
    aRequest(changes),
    made.space ?? aSpace(changes.spaceId ? { id: changes.spaceId } : {}),
    { ...CONTEXT, id: uuidv7(), now: made.now ?? NOW },
  );
  if (!(booking instanceof Booking)) throw new Error(booking.message);
  return booking;
}

/** What a step led to, when it had to be legal. */
export function legal<T>(result: Booking | T): Booking {
  if (result instanceof Booking) return result;
  throw new Error(`illegal: ${JSON.stringify(result)}`);
}
