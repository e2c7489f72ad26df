import { bookingEvents } from '#contracts/book.ts';
import { findConsumers } from '#contracts/topology.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import type { OverdueBookings } from '../ports.ts';
import { type BookingRow, COLUMNS, toBooking } from './booking-rows.ts';
import { CHECKED } from './status-lists.ts';

// The lease is the wait for the next check: 30 s at least, then 1, 2, 4, at most 5 minutes.
const claim = statement<BookingRow>(
  'booking-claim-overdue',
  `UPDATE booking
      SET checks = checks + 1,
          next_check_at = now() + least(300, 30 * 2 ^ least(checks, 4)) * interval '1 second'
    WHERE id IN (SELECT id FROM booking
                  WHERE status IN (${CHECKED}) AND next_check_at <= now()
                  ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}`,
);

// Every consumer of the present contract: an older release may have published to fewer. Those that
// processed the event already acknowledge it from their inbox.
const redeliver = statement<{ id: string }>(
  'booking-redeliver',
  `WITH newest AS (
     SELECT id, version, FALSE AS archived FROM outbox WHERE aggregate_id = $1::uuid
      UNION ALL
     SELECT id, version, TRUE FROM event_archive WHERE aggregate_id = $1::uuid
      ORDER BY version DESC LIMIT 1),
   due_again AS (
     UPDATE outbox
        SET awaiting = ARRAY(SELECT jsonb_array_elements_text($2::jsonb -> type)),
            attempts = 1, next_attempt_at = now()
      WHERE id = (SELECT id FROM newest WHERE NOT archived)
  RETURNING id),
   unarchived AS (
     DELETE FROM event_archive WHERE id = (SELECT id FROM newest WHERE archived) RETURNING *),
   restored AS (
     INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id,
            occurred_at, schema_version, awaiting, attempts, next_attempt_at)
     SELECT id, aggregate_id, version, topic, type, payload, correlation_id, occurred_at,
            schema_version, ARRAY(SELECT jsonb_array_elements_text($2::jsonb -> type)), 1, now()
       FROM unarchived
  RETURNING id)
   SELECT id FROM due_again UNION ALL SELECT id FROM restored`,
);

const CONSUMERS = JSON.stringify(
  Object.fromEntries(Object.keys(bookingEvents).map((type) => [type, findConsumers(type)])),
);

/** Bookings whose status should have passed by now. */
export function overdueBookings(pool: Pool): OverdueBookings {
  return {
    claim: async (limit) => (await claim(pool, limit)).map(toBooking),
    redeliverLastEvent: async ({ state }) =>
      (await redeliver(pool, state.id, CONSUMERS)).length > 0,
  };
}
