import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { Booking } from '../domain/booking.ts';
import type { ActingPrincipal } from '../ports.ts';
import { toRequestEntry } from './booking-audit.ts';
import { toEvent } from './booking-events.ts';
import { toBooking, toInsertValues } from './booking-rows.ts';
import { hasStaleHolds, insertBooking, lockCustomer, lockStaleHolds } from './hold-statements.ts';
import { saveBooking } from './save-booking.ts';

/** A booking to insert, and what is checked and audited with it. */
export interface Insertion {
  booking: Booking;
  maxUnpaidHolds: number;
  by: ActingPrincipal;
}

/** A booking that was written, and the events to publish. */
interface Inserted {
  booking: Booking;
  events: EventRecord[];
}

/** `conflict`: a live hold overlaps, or the key is used. */
type Refusal = 'too-many' | 'conflict';

/** Rolls the transaction back, so that the holds released in it stay as they were. */
class InsertRefused extends Error {
  readonly reason: Refusal;

  constructor(reason: Refusal) {
    super(reason);
    this.reason = reason;
  }
}

/** Inserts the booking with its hold; releases stale holds first where they alone are in the way. */
export async function insertWithHold(
  pool: Pool,
  insertion: Insertion,
): Promise<Inserted | Refusal> {
  const first = await insert(pool, insertion);
  return first === 'conflict' ? insertAfterRelease(pool, insertion) : first;
}

async function insert(
  db: Queryable,
  { booking, maxUnpaidHolds, by }: Insertion,
): Promise<Inserted | Refusal> {
  const events = [toEvent(booking)];
  const [row] = await insertBooking(db, {
    ...toInsertValues(booking),
    maxUnpaidHolds,
    events: JSON.stringify(events),
    auditEntry: JSON.stringify(toRequestEntry(booking, by)),
  });
  if (!row) throw new Error('a request for a booking led to no row');
  const { unpaid, requestedAt, holdExpiresAt, nextPaymentAttemptAt } = row;
  if (requestedAt === null) return unpaid >= maxUnpaidHolds ? 'too-many' : 'conflict';
  const instants = { requestedAt, holdExpiresAt, nextPaymentAttemptAt };
  return { booking: new Booking({ ...booking.state, ...instants }), events };
}

/** In one transaction: releases the stale holds that overlap, then inserts the booking. */
async function insertAfterRelease(pool: Pool, insertion: Insertion): Promise<Inserted | Refusal> {
  const { customerId, spaceId, slot } = insertion.booking.state;
  // Most are refused by a booking whose hold is not stale: they need no transaction.
  const [stale] = await hasStaleHolds(pool, spaceId, slot.startAt, slot.endAt);
  if (!stale?.found) return 'conflict';
  const work = inTransaction(pool, async (db) => {
    await lockCustomer(db, customerId);
    const released = await releaseStaleHolds(db, insertion.booking);
    const inserted = await insert(db, insertion);
    if (typeof inserted === 'string') throw new InsertRefused(inserted);
    return { ...inserted, events: [...released, ...inserted.events] };
  });
  return work.catch((error) => {
    if (error instanceof InsertRefused) return error.reason;
    throw error;
  });
}

/** Expires the bookings whose stale holds overlap with the booking's slot; returns their events. */
async function releaseStaleHolds(db: Queryable, { state }: Booking): Promise<EventRecord[]> {
  const { spaceId, slot } = state;
  const released: EventRecord[] = [];
  for (const row of await lockStaleHolds(db, spaceId, slot.startAt, slot.endAt)) {
    const { now, ...stored } = row;
    const stale = toBooking(stored);
    const expired = stale.expire(now);
    if (expired instanceof Booking) {
      released.push(...(await saveBooking(db, stale, expired)).events);
    }
  }
  return released;
}
