import type { RegistrationRecord } from '#contracts/reconciliation.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';

const findRecords = statement<RegistrationRecord>(
  'booking-records',
  `SELECT booking_id AS "bookingId", payment_id AS "paymentId", space_id AS "spaceId",
          to_char(start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "startAt",
          to_char(end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "endAt", status,
          EXISTS (SELECT FROM outbox e
                   WHERE e.aggregate_id = r.id AND e.awaiting <> '{}') AS "isPassing",
          CASE WHEN status = 'REGISTERED' THEN (
            SELECT count(*)::int FROM registration o
             WHERE o.space_id = r.space_id AND o.status = 'REGISTERED' AND o.id <> r.id
               AND tstzrange(o.start_at, o.end_at, '[)') && tstzrange(r.start_at, r.end_at, '[)'))
            ELSE 0 END AS overlaps
     FROM registration r WHERE booking_id = ANY($1::uuid[])`,
);

const listIds = statement<{ id: string }>(
  'booking-ids',
  'SELECT booking_id AS id FROM registration WHERE booking_id > $1::uuid ORDER BY booking_id LIMIT $2',
);

/** The ids of the bookings after one that have a registration. */
export const registeredBookingIds = (pool: Pool) => async (after: string, limit: number) =>
  (await listIds(pool, after, limit)).map(({ id }) => id);

/** Reads registrations for the reconciliation. */
export const registrationRecords = (pool: Pool) => (bookingIds: readonly string[]) =>
  findRecords(pool, [...bookingIds]);
