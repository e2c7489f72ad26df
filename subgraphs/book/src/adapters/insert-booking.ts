import type { Pool, Queryable } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { Booking } from '../domain/booking.ts';
import type { ActingPrincipal } from '../ports.ts';
import { toRequestEntry } from './booking-audit.ts';
import { toEvent } from './booking-events.ts';
import { toInsertValues } from './booking-rows.ts';
import { insertBooking, lockCustomer } from './hold-statements.ts';
import { writeHold } from './stale-holds.ts';

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

/** Inserts the booking with its hold; releases stale holds first where they alone are in the way. */
export function insertWithHold(pool: Pool, insertion: Insertion): Promise<Inserted | Refusal> {
  const { booking } = insertion;
  const { spaceId, customerId } = booking.state;
  return writeHold<Inserted, Refusal>(
    pool,
    { spaceId, hold: booking.hold },
    (db) => insert(db, insertion),
    (db) => lockCustomer(db, customerId),
  );
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
