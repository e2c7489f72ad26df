import { namedStatement } from '#platform/database/named-statement.ts';
import { insertAuditEntry } from '#platform/operator/audit.ts';
import { IS_RESERVED } from './charge-balance.ts';
import { PAUSE } from './payment-statements.ts';

// The database's clock alone measures leases and pauses; their lengths are in milliseconds.

export interface GoodwillRow {
  id: string;
  payment_id: string;
  booking_id: string;
  amount: number;
  reason: string;
  idempotency_key: string;
  operator_id: string;
  attempts: number;
  failed_at: Date | null;
  settled_at: Date | null;
}

const selectBy = (column: string) =>
  `SELECT g.id, g.payment_id, p.booking_id, g.amount, g.reason, g.idempotency_key, g.operator_id,
          g.attempts, g.failed_at, g.settled_at
     FROM goodwill_refund g JOIN payment p ON p.id = g.payment_id
    WHERE g.${column}`;

export const findGoodwill = namedStatement<GoodwillRow, 'id'>(
  'goodwill-find',
  selectBy('id = :id::uuid'),
);

export const findByKey = namedStatement<GoodwillRow, 'idempotencyKey'>(
  'goodwill-find-by-key',
  selectBy('idempotency_key = :idempotencyKey'),
);

export const insertGoodwill = namedStatement<
  { recorded: boolean },
  | ('id' | 'paymentId' | 'idempotencyKey' | 'amount')
  | ('reason' | 'operatorId' | 'leaseMs' | 'auditEntry')
>(
  'goodwill-owe',
  `WITH owed AS (
     INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id, attempts,
            next_attempt_at)
     VALUES (:id::uuid, :paymentId::uuid, :idempotencyKey, :amount, :reason, :operatorId, 1,
            now() + :leaseMs * interval '1 millisecond')
     ON CONFLICT (idempotency_key) DO NOTHING
  RETURNING id),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM owed)')})
   SELECT EXISTS (SELECT FROM owed) AS recorded`,
);

export const claimDueGoodwill = namedStatement<{ id: string }, 'limit' | 'leaseMs'>(
  'goodwill-claim-due',
  `UPDATE goodwill_refund
      SET attempts = attempts + 1, next_attempt_at = now() + :leaseMs * interval '1 millisecond'
    WHERE id IN (SELECT id FROM goodwill_refund WHERE next_attempt_at <= now()
                  ORDER BY next_attempt_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING id`,
);

// Only under the given lease: another process may have the refund by now.
export const postponeGoodwill = namedStatement<{ id: string }, 'id' | 'attempt'>(
  'goodwill-postpone',
  `UPDATE goodwill_refund SET next_attempt_at = ${PAUSE}
    WHERE id = :id::uuid AND attempts = :attempt AND next_attempt_at IS NOT NULL`,
);

export const refuseGoodwill = namedStatement<{ refusals: number }, 'id' | 'attempt'>(
  'goodwill-refuse',
  `UPDATE goodwill_refund
      SET refusals = refusals + 1,
          next_attempt_at = CASE WHEN attempts = :attempt THEN ${PAUSE} ELSE next_attempt_at END
    WHERE id = :id::uuid AND next_attempt_at IS NOT NULL
RETURNING refusals`,
);

// One that has failed may have reached the provider late, from a process that was frozen meanwhile: it counts as
// far as the charge still covers it.
export const completeGoodwill = namedStatement<{ id: string }, 'id' | 'left'>(
  'goodwill-complete',
  `UPDATE goodwill_refund SET settled_at = now(), failed_at = NULL, next_attempt_at = NULL
    WHERE id = :id::uuid AND settled_at IS NULL AND (failed_at IS NULL OR amount <= :left)
RETURNING id`,
);

export const failGoodwill = namedStatement<{ failed: boolean }, 'id' | 'auditEntry'>(
  'goodwill-fail',
  `WITH failed AS (
     UPDATE goodwill_refund SET failed_at = now(), next_attempt_at = NULL
      WHERE id = :id::uuid AND settled_at IS NULL AND failed_at IS NULL
  RETURNING id),
   audited AS (${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM failed)')})
   SELECT EXISTS (SELECT FROM failed) AS failed`,
);

// The trigger refund_within_charge lets a cancellation wait for the goodwill refunds that are under way, and for
// reductions that are only reserved.
export const resumeRefund = namedStatement<{ id: string }, 'paymentId'>(
  'refund-resume',
  `UPDATE refund r
      SET amount = least(r.quoted, p.amount - g.owed - c.owed),
          next_attempt_at = CASE WHEN g.is_due OR c.is_reserved THEN NULL ELSE now() END
     FROM payment p,
          (SELECT coalesce(sum(amount), 0)::int AS owed,
                  coalesce(bool_or(settled_at IS NULL), FALSE) AS is_due
             FROM goodwill_refund WHERE payment_id = :paymentId::uuid AND failed_at IS NULL) g,
          (SELECT coalesce(sum(refund_amount), 0)::int AS owed,
                  coalesce(bool_or(${IS_RESERVED}), FALSE) AS is_reserved
             FROM payment_change WHERE payment_id = :paymentId::uuid) c
    WHERE p.id = :paymentId::uuid AND r.payment_id = p.id AND r.quoted IS NOT NULL
      AND r.next_attempt_at IS NULL AND r.failed_at IS NULL AND r.settled_at IS NULL`,
);
