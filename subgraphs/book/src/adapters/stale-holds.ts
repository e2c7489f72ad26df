import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { Booking } from '../domain/booking.ts';
import type { TimeSlot } from '../domain/time-slot.ts';
import { toBooking } from './booking-rows.ts';
import { hasStaleHolds, lockStaleHolds } from './hold-statements.ts';
import { saveBooking } from './save-booking.ts';

/** Rolls the transaction back, so that the holds released in it stay as they were. */
class Refused<Reason> extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(String(reason));
    this.reason = reason;
  }
}

/** What was written, and the events to publish. */
interface Written {
  events: EventRecord[];
}

/**
 * Runs `write`; where it meets a conflict, and holds that have expired are in the way, runs it again in one
 * transaction that first releases them. `lock` takes the locks that must precede those of bookings.
 */
export async function writeHold<Result extends Written, Refusal extends string>(
  pool: Pool,
  { spaceId, hold }: { spaceId: string; hold: TimeSlot },
  write: (db: Queryable) => Promise<Result | Refusal | 'conflict'>,
  lock: (db: Queryable) => Promise<unknown> = async () => undefined,
): Promise<Result | Refusal | 'conflict'> {
  const first = await write(pool);
  if (first !== 'conflict') return first;
  // Most are refused by a hold that has not expired: they need no transaction.
  const [stale] = await hasStaleHolds(pool, spaceId, hold.startAt, hold.endAt);
  if (!stale?.found) return 'conflict';
  const work = inTransaction(pool, async (db) => {
    await lock(db);
    const released = await releaseStaleHolds(db, spaceId, hold);
    const written = await write(db);
    if (typeof written === 'string') throw new Refused(written);
    return { ...written, events: [...released, ...written.events] };
  });
  return work.catch((error) => {
    if (error instanceof Refused) return error.reason;
    throw error;
  });
}

/** Expires the bookings whose stale holds overlap with the time; returns their events. */
async function releaseStaleHolds(
  db: Queryable,
  spaceId: string,
  { startAt, endAt }: TimeSlot,
): Promise<EventRecord[]> {
  const released: EventRecord[] = [];
  for (const row of await lockStaleHolds(db, spaceId, startAt, endAt)) {
    const { now, ...stored } = row;
    const stale = toBooking(stored);
    const expired = stale.expire(now);
    if (expired instanceof Booking) {
      released.push(...(await saveBooking(db, stale, expired)).events);
    }
  }
  return released;
}
