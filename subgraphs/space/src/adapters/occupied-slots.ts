import { type Pool, statement } from '#platform/database/postgres.ts';
import { insertInbox } from '#platform/messaging/inbox.ts';
import {
  type ApprovedPayment,
  occupiesSlot,
  type PublishedBooking,
} from '../domain/published-booking.ts';

/** Book's word that a booking holds its slot and is paid, in an `occupied_slot` row. */
export const HOLDS_PAID = "live AND status IN ('PAID', 'REGISTERED')";

const OF_BOOK = ['space_id', 'start_at', 'end_at', 'live', 'version', 'status'];

/** SQL that stores {@link occupancyValues} as $1 to $8: of book's versions the newest counts. */
export const UPSERT_OCCUPANCY = `
   INSERT INTO occupied_slot AS known
          (booking_id, space_id, start_at, end_at, live, version, status, payment_id)
   VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4::timestamptz, $5::boolean, $6::int, $7::text,
           $8::uuid)
   ON CONFLICT (booking_id) DO UPDATE SET
     ${OF_BOOK.map(
       (column) =>
         `${column} = CASE WHEN excluded.version > known.version THEN excluded.${column}
                           ELSE known.${column} END`,
     ).join(',\n     ')},
     payment_id = coalesce(known.payment_id, excluded.payment_id)`;

const occupy = statement(
  'space-occupy',
  `WITH ${insertInbox('$9')}
   ${UPSERT_OCCUPANCY}`,
);

/** The parameters of {@link UPSERT_OCCUPANCY}; a payment knows no version of the booking. */
export function occupancyValues(cause: PublishedBooking | ApprovedPayment): unknown[] {
  const { bookingId, spaceId, slot } = cause;
  const known =
    'status' in cause
      ? [occupiesSlot(cause.status), cause.version, cause.status, null]
      : [false, 0, null, cause.paymentId];
  return [bookingId, spaceId, slot.startAt, slot.endAt, ...known];
}

/** Stores a booking as book published it, unless a newer version is stored, and the event's id. */
export async function occupySlot(
  pool: Pool,
  booking: PublishedBooking,
  eventId: string,
): Promise<void> {
  await occupy(pool, ...occupancyValues(booking), eventId);
}

// What still waits for its other half stays, however old it is. Whatever else arrives late finds the
// registration, which is permanent, and registers nothing.
const removeEnded = statement<{ removed: number }>(
  'space-remove-ended',
  `WITH removed AS (
     DELETE FROM occupied_slot
      WHERE booking_id IN (
        SELECT booking_id FROM occupied_slot o
         WHERE end_at < now() - $1 * interval '1 hour'
           AND (EXISTS (SELECT FROM registration r WHERE r.booking_id = o.booking_id)
                OR payment_id IS NULL AND NOT coalesce(${HOLDS_PAID}, FALSE))
         ORDER BY end_at LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING booking_id)
   SELECT count(*)::int AS removed FROM removed`,
);

/** Removes up to `limit` rows of slots that ended `keepHours` ago; returns how many it removed. */
export async function removeEndedSlots(
  pool: Pool,
  keepHours: number,
  limit: number,
): Promise<number> {
  return (await removeEnded(pool, keepHours, limit))[0]?.removed ?? 0;
}
