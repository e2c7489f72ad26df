/*
 * Release 0.2.0 runs on the same database during an upgrade and after a rollback. Its statements are copied
 * here: they know no goodwill, and no changes of bookings.
 */
export const OWE = `WITH owing AS (
     UPDATE payment SET refund_owed = TRUE
      WHERE booking_id = $1::uuid AND status <> 'VOIDED'
  RETURNING id, amount)
   INSERT INTO refund (payment_id, amount, attempts, next_attempt_at)
   SELECT id, least($2, amount), 1, now() + $3 * interval '1 millisecond' FROM owing
   ON CONFLICT (payment_id) DO NOTHING
   RETURNING payment_id`;
export const COMPLETE = `WITH changed AS (
     UPDATE payment SET status = $3::payment_status, refunded = $2, version = version + 1
      WHERE booking_id = $1::uuid
  RETURNING id)
   UPDATE refund SET settled_at = now(), next_attempt_at = NULL
     FROM changed WHERE payment_id = changed.id`;
