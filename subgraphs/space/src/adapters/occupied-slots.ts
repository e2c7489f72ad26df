import { type Pool, statement } from '#platform/database/postgres.ts';
import { insertInbox } from '#platform/messaging/inbox.ts';
import {
  type ApprovedPayment,
  occupiesSlot,
  type PublishedBooking,
} from '../domain/published-booking.ts';

/** SQL condition on an `occupied_slot` row: book published that the booking holds its slot and is paid. */
export const HOLDS_PAID = "live AND status IN ('PAID', 'REGISTERED')";

const BOOK_COLUMNS = ['space_id', 'start_at', 'end_at', 'live', 'version', 'status'];

/** SQL that stores {@link toOccupancyValues} as $1 to $8, keeping the newest version that book published. */
export const UPSERT_OCCUPANCY = `
   INSERT INTO occupied_slot AS stored
          (booking_id, space_id, start_at, end_at, live, version, status, payment_id)
   VALUES ($1::uuid, $2::uuid, $3::timestamptz, $4::timestamptz, $5::boolean, $6::int, $7::text,
           $8::uuid)
   ON CONFLICT (booking_id) DO UPDATE SET
     ${BOOK_COLUMNS.map(
       (column) =>
         `${column} = CASE WHEN excluded.version > stored.version THEN excluded.${column}
                           ELSE stored.${column} END`,
     ).join(',\n     ')},
     payment_id = coalesce(stored.payment_id, excluded.payment_id)`;

const upsertOccupancy = statement(
  'space-occupy',
  `WITH ${insertInbox('$9')}
   ${UPSERT_OCCUPANCY}`,
);

/** The parameters of {@link UPSERT_OCCUPANCY}; an approved payment has no version of the booking: 0. */
export function toOccupancyValues(cause: PublishedBooking | ApprovedPayment): unknown[] {
  const { bookingId, spaceId, slot } = cause;
  const knowledge =
    'status' in cause
      ? [occupiesSlot(cause.status), cause.version, cause.status, null]
      : [false, 0, null, cause.paymentId];
  return [bookingId, spaceId, slot.startAt, slot.endAt, ...knowledge];
}

/** Stores a booking as book published it, unless a newer version is stored; marks the event processed. */
export async function storeOccupancy(
  pool: Pool,
  booking: PublishedBooking,
  eventId: string,
): Promise<void> {
  await upsertOccupancy(pool, ...toOccupancyValues(booking), eventId);
}

// A row that still waits for payment or book stays, however old it is. Any other late event finds the
// registration, which is permanent, and registers nothing.
const removeEndedRows = statement<{ removed: number }>(
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
  return (await removeEndedRows(pool, keepHours, limit))[0]?.removed ?? 0;
}
