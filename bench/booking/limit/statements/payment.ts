import { statement } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';

/*
 * Copied by hand from the adapters of payment; the report compares the rows that both write, so a copy that is out of
 * date shows.
 */

export const insertPayment = statement(
  'payment-request',
  `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
          payment_method, status, version, requested_at, correlation_id)
   VALUES ($1::uuid, $2::uuid, $3, $4::uuid, $5, $6, $7, $8::currency, $9, $10::payment_status,
          $11, $12, $13)
   ON CONFLICT (booking_id) DO NOTHING
   RETURNING id`,
);

export const charge = statement(
  'sandbox-decide',
  `WITH decided AS (
     INSERT INTO sandbox_charge (key, outcome, amount, currency) VALUES ($1, $2, $3, $4)
     ON CONFLICT (key) DO NOTHING RETURNING outcome)
   SELECT outcome FROM decided
   UNION ALL
   SELECT outcome FROM sandbox_charge WHERE key = $1
   LIMIT 1`,
);

export const savePayment = statement<{ saved: boolean }>(
  'payment-save',
  `WITH changed AS (
     UPDATE payment
        SET status = $3::payment_status, refunded = $4, decline_reason = $5, version = $6,
            approved_at = $7
      WHERE id = $1::uuid AND version = $2
  RETURNING id),
   refunded AS (
     UPDATE refund SET settled_at = now(), next_attempt_at = NULL
      WHERE payment_id = $1::uuid AND $8::boolean AND EXISTS (SELECT FROM changed)),
   published AS (${insertOutbox('$9', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);
