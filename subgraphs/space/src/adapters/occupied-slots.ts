import { namedStatement } from '#platform/database/named-statement.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import { insertInbox } from '#platform/messaging/inbox.ts';
import {
  type ApprovedPayment,
  occupiesSlot,
  type PublishedBlock,
  type PublishedBooking,
} from '../domain/published-booking.ts';

/** SQL condition on an `occupied_slot` row: book published that the booking holds its slot and is paid. */
export const HOLDS_PAID = "live AND status IN ('PAID', 'REGISTERED')";

const BOOK_COLUMNS = [
  ...['space_id', 'start_at', 'end_at', 'hold_start_at', 'hold_end_at'],
  ...['live', 'version', 'status'],
];

/** SQL that stores {@link toOccupancyValues}, keeping the newest version that book published. */
export const UPSERT_OCCUPANCY = `
   INSERT INTO occupied_slot AS stored
          (booking_id, space_id, start_at, end_at, hold_start_at, hold_end_at, live, version, status,
           payment_id)
   VALUES (:bookingId::uuid, :spaceId::uuid, :startAt::timestamptz, :endAt::timestamptz,
           :holdStartAt::timestamptz, :holdEndAt::timestamptz, :live::boolean, :causeVersion::int,
           :causeStatus::text, :approvedPaymentId::uuid)
   ON CONFLICT (booking_id) DO UPDATE SET
     ${BOOK_COLUMNS.map(
       (column) =>
         `${column} = CASE WHEN excluded.version > stored.version THEN excluded.${column}
                           ELSE stored.${column} END`,
     ).join(',\n     ')},
     payment_id = coalesce(stored.payment_id, excluded.payment_id)`;

/** The names of the parameters of {@link UPSERT_OCCUPANCY}. */
export type OccupancyName = keyof ReturnType<typeof toOccupancyValues>;

const upsertOccupancy = namedStatement<Record<string, never>, OccupancyName | 'eventId'>(
  'space-occupy',
  `WITH ${insertInbox(':eventId')}
   ${UPSERT_OCCUPANCY}`,
);

/**
 * The parameters of {@link UPSERT_OCCUPANCY}. An approved payment has no version of the booking (0) and
 * does not know the buffers. A block is stored under its own id.
 */
export function toOccupancyValues(cause: PublishedBooking | PublishedBlock | ApprovedPayment) {
  const { spaceId, slot } = cause;
  const range = { spaceId, startAt: slot.startAt, endAt: slot.endAt };
  const noHold = { holdStartAt: null, holdEndAt: null };
  if ('blockId' in cause) {
    return {
      ...{ bookingId: cause.blockId, ...range, ...noHold, live: cause.isBlocked },
      causeVersion: cause.version,
      causeStatus: cause.isBlocked ? 'BLOCKED' : 'UNBLOCKED',
      approvedPaymentId: null,
    };
  }
  const { bookingId } = cause;
  if ('paymentId' in cause) {
    const unknown = { live: false, causeVersion: 0, causeStatus: null };
    return { bookingId, ...range, ...noHold, ...unknown, approvedPaymentId: cause.paymentId };
  }
  return {
    ...{ bookingId, ...range },
    holdStartAt: cause.hold?.startAt ?? null,
    holdEndAt: cause.hold?.endAt ?? null,
    live: occupiesSlot(cause.status),
    causeVersion: cause.version,
    causeStatus: cause.status,
    approvedPaymentId: null,
  };
}

/** Stores a booking or block as book published it, unless a newer version is stored; marks the event processed. */
export async function storeOccupancy(
  pool: Pool,
  occupancy: PublishedBooking | PublishedBlock,
  eventId: string,
): Promise<void> {
  await upsertOccupancy(pool, { ...toOccupancyValues(occupancy), eventId });
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
