import { namedStatement } from '#platform/database/named-statement.ts';
import { statement } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';
import { type BookingRow, COLUMNS, type InsertedRow, type InsertValues } from './booking-rows.ts';
import { EXPIRING } from './status-lists.ts';

// A trigger writes the hold first, and skips the booking where another owner's live hold overlaps.
// ON CONFLICT covers the idempotency key, there the constraint. Both check before they write: a
// request that waits holds no row lock, so it cannot deadlock with the next update of the holder.
// Counting the unpaid holds locks the customer until the commit. All instants are the database's, and
// no hold outlasts the start of its slot.
export const insertBooking = namedStatement<InsertedRow, keyof InsertValues>(
  'booking-request',
  `WITH customer AS MATERIALIZED (SELECT booking_unpaid_holds(:customerId) AS unpaid),
   inserted AS (
     INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
            time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
            payment_method, status, live, version, requested_at, hold_expires_at,
            payment_attempts, next_payment_attempt_at, correlation_id, price_lines, vat_amount,
            add_ons, note, buffer_before_minutes, buffer_after_minutes)
     SELECT :id::uuid, :customerId, :idempotencyKey, :spaceId::uuid, :hostId, :spaceName,
            :timeZone, :startAt::timestamptz, :endAt::timestamptz, :headcount::int,
            :priceAmount::int, :currency::currency, :refundTiers::jsonb,
            :paymentMethod, :status::booking_status, TRUE, :version::int, now(),
            least(now() + :holdMs::bigint * interval '1 ms', :startAt::timestamptz),
            :paymentAttempts::int, now() + :firstRetryMs::bigint * interval '1 ms', :correlationId,
            :priceLines::jsonb, :vatAmount::int, :addOns::jsonb, :note, :bufferBeforeMinutes::int,
            :bufferAfterMinutes::int
       FROM customer WHERE unpaid < :maxUnpaidHolds::int
     ON CONFLICT DO NOTHING
  RETURNING requested_at, hold_expires_at, next_payment_attempt_at),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM inserted)')}),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM inserted)')})
   SELECT unpaid, requested_at AS "requestedAt", hold_expires_at AS "holdExpiresAt",
          next_payment_attempt_at AS "nextPaymentAttemptAt"
     FROM customer LEFT JOIN inserted ON TRUE`,
);

// Before any row lock: otherwise one request of the customer could wait for another one's customer lock
// while it holds a row that the other one waits for.
export const lockCustomer = statement('booking-lock-customer', 'SELECT booking_unpaid_holds($1)');

/** Bookings whose expired holds overlap [$2, $3) in the space $1. */
const STALE_HOLDS = `
     FROM booking
    WHERE id IN (SELECT booking_id FROM slot_hold
                  WHERE space_id = $1::uuid AND live
                    AND tstzrange(start_at, end_at, '[)') && tstzrange($2, $3, '[)'))
      AND status IN (${EXPIRING}) AND hold_expires_at <= now()`;

export const hasStaleHolds = statement<{ found: boolean }>(
  'booking-has-stale-holds',
  `SELECT EXISTS (SELECT ${STALE_HOLDS}) AS found`,
);

export const lockStaleHolds = statement<BookingRow & { now: Date }>(
  'booking-lock-stale-holds',
  `SELECT ${COLUMNS}, now() ${STALE_HOLDS} ORDER BY id FOR UPDATE`,
);
