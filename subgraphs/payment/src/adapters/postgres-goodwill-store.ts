import { v7 as uuidv7 } from 'uuid';
import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { GoodwillRefund, GoodwillStore } from '../application/goodwill-store.ts';
import { amountLeft } from '../domain/charge-balance.ts';
import {
  findGoodwillRefusal,
  type GoodwillRequest,
  isSameGoodwill,
  keyReused,
  paymentNotFound,
} from '../domain/goodwill.ts';
import { lockCharge, readBalance } from './charge-balance.ts';
import * as sql from './goodwill-statements.ts';
import { toEvent, toGoodwillAuditEntry } from './payment-rows.ts';
import { lockPayment } from './payment-statements.ts';
import { writePayment } from './prisma-payment-store.ts';

/** Goodwill refunds in PostgreSQL, leased for `leaseMs` milliseconds by the database's clock. */
export function postgresGoodwillStore(
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
  leaseMs: number,
): GoodwillStore {
  return {
    record: (request) => inTransaction(pool, (db) => record(db, request, leaseMs)),

    async find(id) {
      const [row] = await sql.findGoodwill(pool, { id });
      return row ? toGoodwillRefund(row) : null;
    },
    claimDue: async (limit) =>
      (await sql.claimDueGoodwill(pool, { limit, leaseMs })).map(({ id }) => id),
    postpone: async ({ id, attempt }) => void (await sql.postponeGoodwill(pool, { id, attempt })),
    async refuse({ id, attempt }) {
      const [row] = await sql.refuseGoodwill(pool, { id, attempt });
      return row?.refusals ?? 0;
    },

    async complete({ id, paymentId }, previous, next) {
      const event = toEvent('PaymentRefunded', next);
      const outcome = await inTransaction(pool, async (db) => {
        if ((await lockPayment(db, paymentId, previous.state.version)).length === 0) return 'stale';
        const left = amountLeft(await readBalance(db, paymentId));
        if ((await sql.completeGoodwill(db, { id, left })).length === 0) return 'over';
        await writePayment(db, previous, next, 'PaymentRefunded', null, event);
        await sql.resumeRefund(db, { paymentId });
        return 'saved';
      });
      if (outcome === 'saved') relay.publish([event]);
      return outcome;
    },

    async fail(refund) {
      const { id, bookingId, paymentId } = refund;
      const auditEntry = JSON.stringify(toGoodwillAuditEntry(refund, 'failed'));
      return inTransaction(pool, async (db) => {
        await lockCharge(db, { bookingId });
        const [row] = await sql.failGoodwill(db, { id, auditEntry });
        if (!row?.failed) return false;
        await sql.resumeRefund(db, { paymentId });
        return true;
      });
    },
  };
}

async function record(
  db: Queryable,
  request: GoodwillRequest,
  leaseMs: number,
): ReturnType<GoodwillStore['record']> {
  const { bookingId, idempotencyKey, amount, reason, operatorId } = request;
  const [charge] = await lockCharge(db, { bookingId });
  const [earlier] = await sql.findByKey(db, { idempotencyKey });
  if (earlier) {
    const refund = toGoodwillRefund(earlier);
    return isSameGoodwill(refund, request) ? { id: refund.id, isNew: false } : keyReused;
  }
  if (!charge) return paymentNotFound;
  const refusal = findGoodwillRefusal(await readBalance(db, charge.id), amount);
  if (refusal) return refusal;
  const id = uuidv7();
  const [row] = await sql.insertGoodwill(db, {
    ...{ id, paymentId: charge.id, idempotencyKey, amount, reason, operatorId, leaseMs },
    auditEntry: JSON.stringify(toGoodwillAuditEntry(request)),
  });
  // Not recorded: a request for another booking, which locks another payment, used the key meanwhile.
  return row?.recorded ? { id, isNew: true } : keyReused;
}

function toGoodwillRefund(row: sql.GoodwillRow): GoodwillRefund {
  const ended = row.failed_at ? 'failed' : 'due';
  return {
    id: row.id,
    paymentId: row.payment_id,
    bookingId: row.booking_id,
    amount: row.amount,
    reason: row.reason,
    idempotencyKey: row.idempotency_key,
    operatorId: row.operator_id,
    state: row.settled_at ? 'completed' : ended,
    attempt: row.attempts,
  };
}
