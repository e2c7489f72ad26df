import { namedStatement } from '#platform/database/named-statement.ts';
import type { Queryable } from '#platform/database/postgres.ts';
import type { ChargeBalance } from '../domain/charge-balance.ts';

// Every transaction locks the payment first, then its refunds and changes: another order could deadlock.

// A statement of its own: the next one reads what was committed while this one waited for the lock.
export const lockCharge = namedStatement<{ id: string }, 'bookingId'>(
  'payment-lock-charge',
  'SELECT id FROM payment WHERE booking_id = :bookingId::uuid FOR UPDATE',
);

/** SQL condition on a `payment_change`: what it gives back is reserved until book applies or releases the change. */
export const IS_RESERVED =
  "difference < 0 AND charge_status = 'APPROVED' AND attempts = 0 AND settled_at IS NULL";

// A goodwill refund that has failed gives nothing back; the refund of a change is owed all the same.
const selectBalance = namedStatement<ChargeBalance, 'paymentId'>(
  'payment-balance',
  `SELECT p.status, p.amount, p.currency, coalesce(r.amount, 0) AS "refundOwed",
          p.refund_owed OR r.payment_id IS NOT NULL AS "hasEnded",
          (SELECT coalesce(sum(g.amount), 0)::int FROM goodwill_refund g
            WHERE g.payment_id = p.id AND g.failed_at IS NULL) AS "goodwillOwed",
          (SELECT coalesce(sum(c.refund_amount), 0)::int FROM payment_change c
            WHERE c.payment_id = p.id) AS "changesOwed",
          (SELECT coalesce(sum(c.difference), 0)::float FROM payment_change c
            WHERE c.payment_id = p.id AND c.charge_status = 'PENDING') AS "chargesPending"
     FROM payment p LEFT JOIN refund r ON r.payment_id = p.id
    WHERE p.id = :paymentId::uuid`,
);

/** To be called under the lock of the payment. */
export async function readBalance(db: Queryable, paymentId: string): Promise<ChargeBalance> {
  const [balance] = await selectBalance(db, { paymentId });
  if (!balance) throw new Error(`there is no payment ${paymentId}`);
  return balance;
}
