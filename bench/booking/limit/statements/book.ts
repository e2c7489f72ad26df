import { statement } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';

/*
 * Copied by hand from the adapters of book; the report compares the rows that both write, so a copy that is out of
 * date shows.
 */

export const findSpace = statement<{ name: string; host_id: string; time_zone: string }>(
  'catalogue-by-id',
  `SELECT id, host_id, name, time_zone, capacity, hourly_rate, currency, opening_hours,
          refund_tiers, version
     FROM catalogue_space WHERE id = $1::uuid`,
);

export const insertBooking = statement<{ inserted: boolean }>(
  'booking-request',
  `WITH inserted AS (
     INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
            time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
            payment_method, status, live, version, requested_at, hold_expires_at,
            payment_attempts, next_payment_attempt_at, correlation_id)
     VALUES ($1::uuid, $2, $3, $4::uuid, $5, $6, $7, $8, $9, $10, $11, $12::currency, $13::jsonb,
            $14, $15::booking_status, TRUE, $16, $17, $18, $19, $20, $21)
     ON CONFLICT DO NOTHING
  RETURNING id),
   published AS (${insertOutbox('$22', 'EXISTS (SELECT FROM inserted)')}),
   audited AS (${insertAuditEntry('$23', 'EXISTS (SELECT FROM inserted)')})
   SELECT EXISTS (SELECT FROM inserted) AS inserted`,
);

export const saveBooking = statement<{ saved: boolean }>(
  'booking-save',
  `WITH changed AS (
     UPDATE booking
        SET status = $3::booking_status, live = $4, version = $5, next_payment_attempt_at = $6,
            refund_amount = $7, payment_cancelled = $8, registration_cancelled = $9
      WHERE id = $1::uuid AND version = $2
        AND NOT EXISTS (SELECT FROM inbox WHERE event_id = $10::uuid)
  RETURNING id),
   processed AS (
     INSERT INTO inbox (event_id) SELECT $10::uuid FROM changed WHERE $10::uuid IS NOT NULL),
   published AS (${insertOutbox('$11', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

export const findForEvent = statement(
  'booking-for-event',
  `SELECT id, customer_id, idempotency_key, space_id, host_id, space_name, time_zone, start_at,
          end_at, headcount, price_amount, currency, refund_tiers, payment_method, status, version,
          requested_at, hold_expires_at, payment_attempts, next_payment_attempt_at, refund_amount,
          payment_cancelled, registration_cancelled, correlation_id,
          EXISTS (SELECT FROM inbox WHERE event_id = $2::uuid) AS processed
     FROM booking WHERE id = $1::uuid`,
);
