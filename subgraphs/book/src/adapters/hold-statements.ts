import { statement } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';
import { type BookingRow, COLUMNS } from './booking-rows.ts';
import { UNPAID } from './status-lists.ts';

export const now = statement<{ now: Date }>('booking-now', 'SELECT now()');

export const byKey = statement<BookingRow & { hasPaymentMethod: boolean }>(
  'booking-by-key',
  `SELECT ${COLUMNS},
          payment_method_digest = booking_payment_method_digest(id, $3) AS "hasPaymentMethod"
     FROM booking WHERE customer_id = $1 AND idempotency_key = $2`,
);

// A trigger writes the hold first, and skips the booking where another owner's live hold overlaps.
// ON CONFLICT covers the idempotency key, there the constraint. Both check before they write: a
// request that waits holds no row lock, so it cannot deadlock with the next update of the holder.
// Counting the unpaid holds locks the customer until the commit. All instants are the database's: $16
// and $18 are durations.
export const insertBooking = statement<{
  unpaid: number;
  requestedAt: Date | null;
  holdExpiresAt: Date;
  nextPaymentAttemptAt: Date;
}>(
  'booking-request',
  `WITH customer AS MATERIALIZED (SELECT booking_unpaid_holds($2) AS unpaid),
   held AS (
     INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
            time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
            payment_method, status, live, version, requested_at, hold_expires_at,
            payment_attempts, next_payment_attempt_at, correlation_id)
     SELECT $1::uuid, $2, $3, $4::uuid, $5, $6, $7, $8::timestamptz, $9::timestamptz, $10::int,
            $11::int, $12::currency, $13::jsonb, $14, 'REQUESTED', TRUE, $15::int, now(),
            now() + $16::int * interval '1 ms', $17::int, now() + $18::int * interval '1 ms', $19
       FROM customer WHERE unpaid < $20::int
     ON CONFLICT DO NOTHING
  RETURNING requested_at, hold_expires_at, next_payment_attempt_at),
   told AS (${insertOutbox('$21', 'EXISTS (SELECT FROM held)')}),
   noted AS (${insertAuditEntry('$22', 'EXISTS (SELECT FROM held)')})
   SELECT unpaid, requested_at AS "requestedAt", hold_expires_at AS "holdExpiresAt",
          next_payment_attempt_at AS "nextPaymentAttemptAt"
     FROM customer LEFT JOIN held ON TRUE`,
);

// Before any row: else one request of the customer could wait for another one's lock while holding
// a row that the other one waits for.
export const lockCustomer = statement('booking-lock-customer', 'SELECT booking_unpaid_holds($1)');

const STALE_HOLDS = `
     FROM booking
    WHERE id IN (SELECT booking_id FROM slot_hold
                  WHERE space_id = $1::uuid AND live
                    AND tstzrange(start_at, end_at, '[)') && tstzrange($2, $3, '[)'))
      AND status IN (${UNPAID}) AND hold_expires_at <= now()`;

export const hasStaleHolds = statement<{ found: boolean }>(
  'booking-has-stale-holds',
  `SELECT EXISTS (SELECT ${STALE_HOLDS}) AS found`,
);

export const lockStaleHolds = statement<BookingRow & { now: Date }>(
  'booking-lock-stale-holds',
  `SELECT ${COLUMNS}, now() ${STALE_HOLDS} ORDER BY id FOR UPDATE`,
);

// The lease keeps other sweepers away for as long as a payment call may take.
export const claimUnpaid = statement<BookingRow & { now: Date }>(
  'booking-claim-unpaid',
  `UPDATE booking
      SET payment_attempts = payment_attempts + 1,
          next_payment_attempt_at = now() + interval '10 seconds'
    WHERE id IN (SELECT id FROM booking
                  WHERE status IN (${UNPAID})
                    AND next_payment_attempt_at <= now()
                    AND (NOT $2::boolean OR hold_expires_at <= now())
                  ORDER BY next_payment_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING ${COLUMNS}, now()`,
);
