import { namedStatement } from '#platform/database/named-statement.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';
import type { PaymentChange } from '../application/change-store.ts';
import type { ChangeChargeStatus } from '../domain/payment-change.ts';
import { IS_RESERVED } from './charge-balance.ts';
import { PAUSE } from './payment-statements.ts';

// The database's clock alone measures leases and pauses; their lengths are in milliseconds.
const LEASE = "now() + :leaseMs * interval '1 millisecond'";

const selectBy = (condition: string) =>
  `SELECT c.id, c.payment_id AS "paymentId", p.booking_id AS "bookingId", c.difference,
          c.charge_status AS "chargeStatus", c.refund_amount AS "refundAmount",
          c.settled_at IS NULL AND c.next_attempt_at IS NOT NULL AS "isDue",
          c.failed_at IS NOT NULL AS "hasFailed", c.settled_at IS NOT NULL AS completed,
          c.settled_outside AS "completedOutside", c.attempts AS attempt
     FROM payment_change c JOIN payment p ON p.id = c.payment_id
    WHERE ${condition}`;

export const findChange = namedStatement<PaymentChange, 'id'>(
  'change-find',
  selectBy('c.id = :id::uuid'),
);

export const findFailedChanges = namedStatement<PaymentChange, 'paymentId'>(
  'change-find-failed',
  `${selectBy('c.payment_id = :paymentId::uuid AND c.failed_at IS NOT NULL')} ORDER BY c.id`,
);

/** The columns of a new charge; `leaseMs` leases it, null: no lease. */
interface NewCharge {
  id: string;
  paymentId: string;
  difference: number;
  chargeStatus: ChangeChargeStatus;
  leaseMs: number | null;
  /** Is it known that nothing is ever owed of it? */
  isOver: boolean;
}

export const insertCharge = namedStatement<{ id: string }, keyof NewCharge>(
  'change-request',
  `INSERT INTO payment_change (id, payment_id, difference, charge_status, charging_until, settled_at)
   VALUES (:id::uuid, :paymentId::uuid, :difference, :chargeStatus, ${LEASE},
          CASE WHEN :isOver::boolean THEN now() END)
   ON CONFLICT (id) DO NOTHING
   RETURNING id`,
);

export const insertReservation = namedStatement<
  { id: string },
  'id' | 'paymentId' | 'difference' | 'status'
>(
  'change-reserve',
  `INSERT INTO payment_change (id, payment_id, difference, charge_status, refund_amount, settled_at)
   VALUES (:id::uuid, :paymentId::uuid, :difference::int, :status::text,
          CASE WHEN :status::text = 'APPROVED' THEN -:difference::int END,
          CASE WHEN :status::text = 'DECLINED' THEN now() END)
   ON CONFLICT (id) DO NOTHING
   RETURNING id`,
);

// Not a released one: an attempt to prevent its charge is under way.
export const claimCharge = namedStatement<{ id: string }, 'id' | 'leaseMs'>(
  'change-claim-charge',
  `UPDATE payment_change SET charging_until = ${LEASE}
    WHERE id = :id::uuid AND charge_status = 'PENDING' AND next_attempt_at IS NULL
      AND (charging_until IS NULL OR charging_until <= now())
RETURNING id`,
);

export const releaseCharge = namedStatement<{ id: string }, 'id'>(
  'change-release-charge',
  `UPDATE payment_change SET charging_until = NULL WHERE id = :id::uuid AND charge_status = 'PENDING'`,
);

// A released change has an attempt due: it owes back what was charged all the same.
export const approveCharge = namedStatement<{ id: string }, 'id'>(
  'change-approve',
  `UPDATE payment_change
      SET charge_status = 'APPROVED', charging_until = NULL,
          refund_amount = CASE WHEN next_attempt_at IS NOT NULL THEN difference END
    WHERE id = :id::uuid AND charge_status = 'PENDING'
RETURNING id`,
);

export const endCharge = namedStatement<{ id: string }, 'id' | 'chargeStatus'>(
  'change-end-charge',
  `UPDATE payment_change
      SET charge_status = :chargeStatus, charging_until = NULL, settled_at = now(), next_attempt_at = NULL
    WHERE id = :id::uuid AND charge_status = 'PENDING'`,
);

export const oweReserved = namedStatement<{ owed: number }, 'id' | 'leaseMs'>(
  'change-owe-reserved',
  `UPDATE payment_change SET attempts = 1, next_attempt_at = ${LEASE}
    WHERE id = :id::uuid AND ${IS_RESERVED}
RETURNING refund_amount AS owed`,
);

export const releaseReserved = namedStatement<{ id: string }, 'id'>(
  'change-release-reserved',
  `UPDATE payment_change SET charge_status = 'VOIDED', refund_amount = NULL, settled_at = now()
    WHERE id = :id::uuid AND ${IS_RESERVED}
RETURNING id`,
);

export const insertReduction = namedStatement<
  { id: string },
  'id' | 'paymentId' | 'difference' | 'owed' | 'leaseMs'
>(
  'change-owe',
  `INSERT INTO payment_change (id, payment_id, difference, charge_status, refund_amount, attempts, next_attempt_at,
          settled_at)
   VALUES (:id::uuid, :paymentId::uuid, :difference, 'APPROVED', :owed::int, 1,
          CASE WHEN :owed::int > 0 THEN ${LEASE} END, CASE WHEN :owed::int = 0 THEN now() END)
   ON CONFLICT (id) DO NOTHING
   RETURNING id`,
);

// Once: a released charge has an attempt due, has failed, or is settled. `owed`: should it be made already.
export const releaseChange = namedStatement<{ is_leased: boolean }, 'id' | 'owed' | 'leaseMs'>(
  'change-release',
  `UPDATE payment_change
      SET refund_amount = CASE WHEN charge_status = 'APPROVED' THEN :owed::int END,
          attempts = attempts + 1,
          next_attempt_at = CASE WHEN charge_status = 'PENDING' OR :owed::int > 0 THEN ${LEASE} END,
          settled_at = CASE WHEN charge_status = 'APPROVED' AND :owed::int = 0 THEN now() END
    WHERE id = :id::uuid AND charge_status IN ('PENDING', 'APPROVED') AND difference > 0
      AND next_attempt_at IS NULL AND failed_at IS NULL AND settled_at IS NULL
RETURNING next_attempt_at IS NOT NULL AS is_leased`,
);

export const claimDueChanges = namedStatement<{ id: string }, 'limit' | 'leaseMs'>(
  'change-claim-due',
  `UPDATE payment_change SET attempts = attempts + 1, next_attempt_at = ${LEASE}
    WHERE id IN (SELECT id FROM payment_change WHERE next_attempt_at <= now()
                  ORDER BY next_attempt_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id`,
);

// Only under the given lease: another process may have the refund by now.
export const postponeChange = namedStatement<{ id: string }, 'id' | 'attempt'>(
  'change-postpone',
  `UPDATE payment_change SET next_attempt_at = ${PAUSE}
    WHERE id = :id::uuid AND attempts = :attempt AND next_attempt_at IS NOT NULL`,
);

export const refuseChange = namedStatement<{ refusals: number }, 'id' | 'attempt'>(
  'change-refuse',
  `UPDATE payment_change
      SET refusals = refusals + 1,
          next_attempt_at = CASE WHEN attempts <> :attempt THEN next_attempt_at
                                 WHEN failed_at IS NULL THEN ${PAUSE} END
    WHERE id = :id::uuid AND settled_at IS NULL
RETURNING refusals`,
);

export const completeChange = namedStatement<{ id: string }, 'id'>(
  'change-complete',
  `UPDATE payment_change SET settled_at = now(), next_attempt_at = NULL
    WHERE id = :id::uuid AND settled_at IS NULL
RETURNING id`,
);

export const failChange = namedStatement<{ id: string }, 'id'>(
  'change-fail',
  `UPDATE payment_change SET failed_at = now(), next_attempt_at = NULL
    WHERE id = :id::uuid AND settled_at IS NULL AND failed_at IS NULL
RETURNING id`,
);

export const retryFailedChanges = namedStatement<
  { id: string },
  'paymentId' | 'leaseMs' | 'auditEntry'
>(
  'change-retry-failed',
  `WITH leased AS (
     UPDATE payment_change SET attempts = attempts + 1, next_attempt_at = ${LEASE}
      WHERE payment_id = :paymentId::uuid AND failed_at IS NOT NULL AND settled_at IS NULL
        AND next_attempt_at IS NULL
  RETURNING id),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM leased)')})
   SELECT id FROM leased`,
);

// All of them or none.
export const resolveChangesOutside = namedStatement<{ id: string }, 'ids' | 'auditEntry'>(
  'change-resolve-outside',
  `WITH waiting AS (
     SELECT id FROM payment_change
      WHERE id = ANY(:ids::uuid[]) AND failed_at IS NOT NULL AND settled_at IS NULL
        AND next_attempt_at IS NULL
        FOR UPDATE),
   completed AS (
     UPDATE payment_change SET settled_at = now(), settled_outside = TRUE
      WHERE id IN (SELECT id FROM waiting)
        AND (SELECT count(*) FROM waiting) = cardinality(:ids::uuid[])
  RETURNING id),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM completed)')})
   SELECT id FROM completed`,
);
