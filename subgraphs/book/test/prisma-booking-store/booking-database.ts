import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { EventRecord } from '#platform/messaging/events.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../../tests/support/database.ts';
import { prismaBookingStore } from '../../src/adapters/prisma-booking-store.ts';
import type { Booking } from '../../src/domain/booking.ts';
import type { BookingRequest } from '../../src/domain/booking-request.ts';
import type { BookingState } from '../../src/domain/booking-state.ts';
import type { BookingStore, InsertRefusal } from '../../src/ports.ts';
import { aBooking, HOLD_SECONDS, MANY_HOLDS, NOW, secondsAfter } from '../a-booking.ts';

export const HOLD_END = secondsAfter(NOW, HOLD_SECONDS);
const START = new Date('2030-06-03T01:00:00Z');

/** A slot that starts and ends `from` and `to` hours after a fixed instant. */
export const hours = (from: number, to: number) => ({
  startAt: secondsAfter(START, from * 3_600),
  endAt: secondsAfter(START, to * 3_600),
});

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** How often each outcome occurs. */
export const tally = (outcomes: readonly string[]) =>
  Object.fromEntries(
    [...new Set(outcomes)].map((one) => [one, outcomes.filter((other) => other === one).length]),
  );

/** A booking of a space that no other test books. */
export const bookingElsewhere = (changes: Partial<BookingRequest> = {}): Booking =>
  aBooking({ spaceId: uuidv7(), ...changes });

interface OutboxRow {
  version: number;
  type: string;
  awaiting: string[];
  status: string;
}

/** A store on a database of its own, and what tests read from and write to that database. */
export interface BookingDatabase {
  database: TestDatabase;
  prisma: PrismaClient;
  store: BookingStore;
  /** The events that the store published. */
  published: EventRecord[];
  insert(booking: Booking, maxUnpaidHolds?: number): Promise<'held' | InsertRefusal>;
  /** Inserts a booking that must be held. */
  hold(changes?: Partial<BookingRequest>): Promise<Booking>;
  /** Ends the hold `secondsAgo`, by the database's clock. */
  endHold(booking: Booking, secondsAgo?: number): Promise<unknown>;
  findState(booking: Booking): Promise<Readonly<BookingState> | undefined>;
  readOutbox(booking: Booking): Promise<OutboxRow[]>;
  isInInbox(eventId: string): Promise<boolean>;
  /** How many live bookings the space has; rejects unless its live holds are theirs. */
  countLive(spaceId: string): Promise<number>;
  close(): Promise<void>;
}

export async function openBookingDatabase(): Promise<BookingDatabase> {
  const database = await createDatabase('book');
  const prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  const published: EventRecord[] = [];
  const store = prismaBookingStore(prisma, database.pool, {
    publish: (events) => void published.push(...events),
  });
  const write = (booking: Booking, maxUnpaidHolds = MANY_HOLDS) =>
    store.insert(booking, maxUnpaidHolds, { userId: booking.state.customerId, role: 'customer' });

  return {
    database,
    prisma,
    store,
    published,
    async insert(booking, maxUnpaidHolds) {
      const outcome = await write(booking, maxUnpaidHolds);
      return typeof outcome === 'string' ? outcome : 'held';
    },
    async hold(changes) {
      const outcome = await write(bookingElsewhere(changes));
      if (typeof outcome === 'string') throw new Error(outcome);
      return outcome;
    },
    endHold: ({ state }, secondsAgo = 0) =>
      database.query(
        `UPDATE booking SET hold_expires_at = now() - $2::int * interval '1 second' WHERE id = $1`,
        [state.id, secondsAgo],
      ),
    findState: async (booking) => (await store.find(booking.state.id))?.state,
    readOutbox: (booking) =>
      database.query(
        `SELECT version, type, ARRAY(SELECT unnest(awaiting) ORDER BY 1) AS awaiting,
                payload->>'status' AS status FROM outbox
          WHERE aggregate_id = $1 ORDER BY version`,
        [booking.state.id],
      ),
    isInInbox: async (eventId) =>
      (await database.query('SELECT FROM inbox WHERE event_id = $1', [eventId])).length > 0,
    async countLive(spaceId) {
      const select = (table: string, id: string) =>
        database.query(`SELECT ${id} AS id FROM ${table} WHERE space_id = $1 AND live ORDER BY 1`, [
          spaceId,
        ]);
      const bookings = await select('booking', 'id');
      const holds = await select('slot_hold', 'booking_id');
      if (JSON.stringify(holds) !== JSON.stringify(bookings)) {
        throw new Error('the live holds are not those of the live bookings');
      }
      return bookings.length;
    },
    async close() {
      await prisma.$disconnect();
      await database.drop();
    },
  };
}
