import { v7 as uuidv7 } from 'uuid';
import { postgresChangeStore } from '../src/adapters/postgres-change-store.ts';
import { advance } from '../src/application/booking-saga.ts';
import { cancelBooking } from '../src/application/cancel-booking.ts';
import {
  type RescheduleBookingResult,
  rescheduleBooking,
} from '../src/application/reschedule-booking.ts';
import type { Booking } from '../src/domain/booking.ts';
import type { ChangeRequest } from '../src/domain/booking-change.ts';
import type { CatalogueSpace } from '../src/domain/catalogue-space.ts';
import type { BookPorts, PaymentOutcome } from '../src/ports.ts';
import { ANY_SLOT, aBooking, aSpace, HOLD_SECONDS } from './a-booking.ts';
import { type BookingDatabase, hours } from './prisma-booking-store/booking-database.ts';

/** Registered bookings of a database, a payment whose outcome a test chooses, and what was published. */
export function openChanges(book: BookingDatabase, stores: Partial<BookPorts> = {}) {
  const spaces = new Map<string, CatalogueSpace>();
  /** The ids of changes in the order of their charges. */
  const charged: string[] = [];
  /** The ids of changes that reserved what they give back. */
  const reserved: string[] = [];
  const payment = {
    outcome: 'approved' as PaymentOutcome,
    found: 'unknown' as PaymentOutcome,
    /** Runs while a charge is made. */
    meanwhile: async () => {},
  };
  const ports = {
    bookings: book.store,
    changes: postgresChangeStore(book.database.pool, {
      publish: (events) => void book.published.push(...events),
    }),
    ...stores,
    catalogue: { find: async (id: string) => spaces.get(id) ?? null },
    holidays: { between: async () => new Set() },
    payments: {
      circuit: () => 'closed',
      chargeChange: async ({ id, difference }: { id: string; difference: number }) => {
        (difference > 0 ? charged : reserved).push(id);
        await payment.meanwhile();
        return payment.outcome;
      },
      findChangeOutcome: async () => payment.found,
    },
    clock: () => new Date(),
    wait: async () => {},
    newId: uuidv7,
    correlationId: () => 'test',
    maxUnpaidHolds: 1_000,
    resume: (_: Booking, work: () => Promise<void>) => work(),
    holdSeconds: HOLD_SECONDS,
    log: () => {},
  } as unknown as BookPorts;

  const find = async ({ state }: Booking): Promise<Booking> =>
    (await book.store.find(state.id)) as Booking;

  return {
    ports,
    charged,
    reserved,
    payment,
    find,

    /** A registered booking of two hours from the hour `start`, for 60000, in a space of its own unless it is given. */
    async registered({
      spaceId = uuidv7(),
      start = 0,
      space = {} as Partial<CatalogueSpace>,
    } = {}) {
      const listed = aSpace({ id: spaceId, bookingRules: ANY_SLOT, ...space });
      spaces.set(spaceId, listed);
      const booking = aBooking(
        { spaceId, slot: hours(start, start + 2) },
        { space: listed, now: new Date() },
      );
      const inserted = await book.store.insert(booking, 1_000, {
        userId: 'chulsoo',
        role: 'customer',
      });
      if (typeof inserted === 'string') throw new Error(inserted);
      const result = await advance(ports, inserted, [
        (each) => each.approvePayment(),
        (each) => each.confirm(),
      ]);
      if (typeof result === 'string') throw new Error(result);
      return result;
    },

    reschedule: ({ state }: Booking, request: Partial<ChangeRequest> = {}, userId = 'chulsoo') =>
      rescheduleBooking(
        ports,
        {
          ...{ bookingId: state.id, idempotencyKey: uuidv7() },
          ...{ slot: null, headcount: null, addOns: null, expectedDifference: 0 },
          ...request,
        },
        { userId, role: 'customer' },
      ),

    cancel: ({ state }: Booking) =>
      cancelBooking(ports, { userId: 'chulsoo', isOperator: false }, state.id),

    /** The live holds of the booking: the hours at which they start and end. */
    async holds({ state }: Booking): Promise<[number, number][]> {
      const rows = await book.database.query<{ start_at: Date; end_at: Date }>(
        'SELECT start_at, end_at FROM slot_hold WHERE booking_id = $1 AND live ORDER BY start_at, id',
        [state.id],
      );
      const zero = hours(0, 1).startAt.getTime();
      const toHour = (at: Date) => (at.getTime() - zero) / 3_600_000;
      return rows.map(({ start_at, end_at }) => [toHour(start_at), toHour(end_at)]);
    },

    /** Ends the time of a pending change, and makes it due. */
    async expire({ state }: Booking): Promise<void> {
      await book.database.query(
        `UPDATE booking_change SET expires_at = now(), next_attempt_at = now()
          WHERE booking_id = $1 AND state = 'PENDING'`,
        [state.id],
      );
      await book.database.query(
        `UPDATE booking SET deadline_at = now() + interval '5 minutes' WHERE id = $1`,
        [state.id],
      );
    },

    releases: ({ state }: Booking) =>
      book.database.query<{ payload: unknown }>(
        `SELECT payload FROM outbox WHERE type = 'BookingChangeReleased' AND payload->>'bookingId' = $1`,
        [state.id],
      ),
  };
}

export const kindOf = (result: RescheduleBookingResult): string =>
  'change' in result ? result.change.state : result.type;

/** Another customer's booking of the same space. */
export const elsewhere = ({ state }: Booking, start: number, end: number): Booking =>
  aBooking({ spaceId: state.spaceId, slot: hours(start, end) });
