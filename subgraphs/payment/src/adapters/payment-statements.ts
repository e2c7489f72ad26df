import { namedStatement } from '#platform/database/named-statement.ts';
import { statement } from '#platform/database/postgres.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';

// The database's clock alone measures leases and pauses; their lengths are in milliseconds.

/** The columns of a new payment; `leaseMs` leases its charge, null: no lease. */
export interface NewPayment {
  id: string;
  bookingId: string;
  customerId: string;
  spaceId: string;
  startAt: Date;
  endAt: Date;
  amount: number;
  currency: string;
  paymentMethod: string;
  status: string;
  version: number;
  requestedAt: Date;
  correlationId: string;
  leaseMs: number | null;
}

export const insertPayment = namedStatement<{ id: string }, keyof NewPayment>(
  'payment-request',
  `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
          payment_method, status, version, requested_at, correlation_id, charging_until)
   VALUES (:id::uuid, :bookingId::uuid, :customerId, :spaceId::uuid, :startAt, :endAt, :amount,
          :currency::currency, :paymentMethod, :status::payment_status, :version, :requestedAt,
          :correlationId, now() + :leaseMs * interval '1 millisecond')
   ON CONFLICT (booking_id) DO NOTHING
   RETURNING id`,
);

export const claimCharge = statement(
  'payment-claim-charge',
  `UPDATE payment SET charging_until = now() + $2 * interval '1 millisecond'
    WHERE id = $1::uuid AND status = 'PENDING'
      AND (charging_until IS NULL OR charging_until <= now())
RETURNING id`,
);

export const releaseCharge = statement(
  'payment-release-charge',
  `UPDATE payment SET charging_until = NULL WHERE id = $1::uuid AND status = 'PENDING'`,
);

// RETURNING reads refund_owed after the update got the row's lock: an obligation that was committed while
// the update waited counts. The previous release does not set the column.
export const updatePayment = statement<{ saved: boolean; published: boolean }>(
  'payment-save',
  `WITH changed AS (
     UPDATE payment
        SET status = $3::payment_status, refunded = $4, decline_reason = $5, version = $6,
            approved_at = $7, payment_method = $8, charging_until = NULL, goodwill = $12, amount = $13,
            refunded_for_changes = $14
      WHERE id = $1::uuid AND version = $2
  RETURNING refund_owed OR EXISTS (SELECT FROM refund WHERE payment_id = $1::uuid) AS is_owed),
   closed AS (
     UPDATE refund
        SET settled_at = CASE WHEN $9 = 'completed' THEN now() ELSE settled_at END,
            failed_at = CASE WHEN $9 = 'failed' THEN now() ELSE failed_at END,
            next_attempt_at = NULL
      WHERE payment_id = $1::uuid AND $9::text IS NOT NULL AND EXISTS (SELECT FROM changed)),
   published AS (
     ${insertOutbox('$10', 'EXISTS (SELECT FROM changed WHERE $11::boolean OR NOT is_owed)')}
  RETURNING id)
   SELECT EXISTS (SELECT FROM changed) AS saved, EXISTS (SELECT FROM published) AS published`,
);

export const insertEvents = statement('payment-insert-events', insertOutbox('$1'));

// The trigger refund_within_charge lowers the amount to what goodwill refunds and refunds of changes leave of the
// charges, and lets the refund wait for goodwill that is under way: then nothing is due, and nothing is leased.
export const insertObligation = statement<{ is_leased: boolean }>(
  'refund-owe',
  `WITH owing AS (
     UPDATE payment SET refund_owed = TRUE
      WHERE booking_id = $1::uuid AND status <> 'VOIDED'
  RETURNING id, amount)
   INSERT INTO refund (payment_id, amount, quoted, attempts, next_attempt_at)
   SELECT id, least($2, amount), least($2, amount), 1, now() + $3 * interval '1 millisecond' FROM owing
   ON CONFLICT (payment_id) DO NOTHING
   RETURNING next_attempt_at IS NOT NULL AS is_leased`,
);

export const claimDueRefunds = statement<{ booking_id: string }>(
  'refund-claim-due',
  `UPDATE refund r
      SET attempts = attempts + 1, next_attempt_at = now() + $2 * interval '1 millisecond'
     FROM payment p
    WHERE p.id = r.payment_id
      AND r.payment_id IN (SELECT payment_id FROM refund
                            WHERE settled_at IS NULL AND next_attempt_at <= now()
                            ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING p.booking_id`,
);

export const isAnotherRefundFailed = namedStatement<
  { is_failed: boolean },
  'paymentId' | 'refundId'
>(
  'refund-is-another-failed',
  `SELECT EXISTS (SELECT FROM refund WHERE payment_id = :paymentId::uuid AND id <> :refundId::uuid
                     AND failed_at IS NOT NULL AND settled_at IS NULL)
       OR EXISTS (SELECT FROM payment_change WHERE payment_id = :paymentId::uuid AND id <> :refundId::uuid
                     AND failed_at IS NOT NULL AND settled_at IS NULL) AS is_failed`,
);

// Only under the given lease: another process may have the refund by now.
export const PAUSE = "now() + least(60, 2 ^ (least(attempts, 7) - 1)) * interval '1 second'";
export const postponeRefund = statement(
  'refund-postpone',
  `UPDATE refund SET next_attempt_at = ${PAUSE}
    WHERE payment_id = $1::uuid AND attempts = $2 AND settled_at IS NULL
      AND next_attempt_at IS NOT NULL`,
);

export const refuseRefund = statement<{ refusals: number }>(
  'refund-refuse',
  `UPDATE refund
      SET refusals = refusals + 1,
          next_attempt_at = CASE WHEN attempts <> $2 THEN next_attempt_at
                                 WHEN failed_at IS NULL THEN ${PAUSE} END
    WHERE payment_id = $1::uuid AND settled_at IS NULL
RETURNING refusals`,
);

export const retryFailedRefund = statement<{ retried: boolean }>(
  'refund-retry-failed',
  `WITH leased AS (
     UPDATE refund SET attempts = attempts + 1, next_attempt_at = now() + $2 * interval '1 millisecond'
      WHERE payment_id = $1::uuid AND failed_at IS NOT NULL AND settled_at IS NULL
        AND next_attempt_at IS NULL
  RETURNING payment_id),
   audited AS (${insertAuditEntry('$3', 'EXISTS (SELECT FROM leased)')})
   SELECT EXISTS (SELECT FROM leased) AS retried`,
);

export const lockPayment = statement(
  'payment-lock',
  'SELECT id FROM payment WHERE id = $1::uuid AND version = $2 FOR UPDATE',
);

export const resolveOutside = statement<{ payment_id: string }>(
  'refund-resolve-outside',
  `WITH completed AS (
     UPDATE refund SET settled_outside = TRUE
      WHERE payment_id = $1::uuid AND failed_at IS NOT NULL AND settled_at IS NULL
        AND next_attempt_at IS NULL
  RETURNING payment_id),
   audited AS (${insertAuditEntry('$2', 'EXISTS (SELECT FROM completed)')})
   SELECT payment_id FROM completed`,
);
