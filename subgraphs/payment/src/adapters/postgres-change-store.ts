import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import { recordProcessed } from '#platform/messaging/inbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { ChangeEvent, ChangeSaved, ChangeStore } from '../application/change-store.ts';
import type { Payment } from '../domain/payment.ts';
import {
  type ChangeCharge,
  firstChargeStatus,
  firstReductionStatus,
  refundableAmount,
} from '../domain/payment-change.ts';
import type { PaymentEventType } from '../ports.ts';
import * as sql from './change-statements.ts';
import { lockCharge, readBalance } from './charge-balance.ts';
import { resumeRefund } from './goodwill-statements.ts';
import { toAuditEntry, toEvent } from './payment-rows.ts';
import { lockPayment } from './payment-statements.ts';
import { writePayment } from './prisma-payment-store.ts';

/** Changes of bookings in PostgreSQL, leased for `leaseMs` milliseconds by the database's clock. */
export function postgresChangeStore(
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
  leaseMs: number,
): ChangeStore {
  /** Writes the payment's next version with its event, together with what `write` writes of its changes. */
  async function save(
    previous: Payment,
    next: Payment,
    eventType: PaymentEventType,
    write: (db: Queryable) => Promise<boolean>,
  ): Promise<ChangeSaved> {
    const { id, version } = previous.state;
    const event = toEvent(eventType, next);
    const outcome = await inTransaction(pool, async (db) => {
      if ((await lockPayment(db, id, version)).length === 0) return 'stale';
      if (!(await write(db))) return 'over';
      await writePayment(db, previous, next, eventType, null, event);
      return 'saved';
    });
    if (outcome === 'saved') relay.publish([event]);
    return outcome;
  }

  return {
    async find(id) {
      const [change] = await sql.findChange(pool, { id });
      return change ?? null;
    },

    create: (charge) => inTransaction(pool, (db) => create(db, charge, leaseMs)),
    reserve: (reduction) => inTransaction(pool, (db) => reserve(db, reduction)),
    claimCharge: async (id) => (await sql.claimCharge(pool, { id, leaseMs })).length > 0,
    releaseCharge: async (id) => void (await sql.releaseCharge(pool, { id })),
    approve: ({ id }, previous, next) =>
      save(previous, next, 'PaymentAdjusted', async (db) => {
        return (await sql.approveCharge(db, { id })).length > 0;
      }),
    end: async (id, chargeStatus) => void (await sql.endCharge(pool, { id, chargeStatus })),

    owe: (event) => inTransaction(pool, (db) => owe(db, event, leaseMs)),
    release: (event) => inTransaction(pool, (db) => release(db, event, leaseMs)),

    claimDue: async (limit) =>
      (await sql.claimDueChanges(pool, { limit, leaseMs })).map(({ id }) => id),
    postpone: async ({ id, attempt }) => void (await sql.postponeChange(pool, { id, attempt })),
    async refuse({ id, attempt }) {
      const [row] = await sql.refuseChange(pool, { id, attempt });
      return row?.refusals ?? 0;
    },
    complete: ({ id }, previous, next) =>
      save(previous, next, 'PaymentAdjusted', async (db) => {
        return (await sql.completeChange(db, { id })).length > 0;
      }),
    fail: ({ id }, previous, next) =>
      save(previous, next, 'PaymentRefundFailed', async (db) => {
        return (await sql.failChange(db, { id })).length > 0;
      }),

    findFailed: (paymentId) => sql.findFailedChanges(pool, { paymentId }),
    async retryFailed(payment, decision) {
      const { id: paymentId, bookingId } = payment.state;
      const auditEntry = JSON.stringify(toAuditEntry(payment, 'RETRY', decision));
      return inTransaction(pool, async (db) => {
        await lockCharge(db, { bookingId });
        const leased = await sql.retryFailedChanges(db, { paymentId, leaseMs, auditEntry });
        return leased.map(({ id }) => id);
      });
    },
    resolveOutside: (changes, previous, next, decision) =>
      save(previous, next, 'PaymentAdjusted', async (db) => {
        const ids = changes.map(({ id }) => id);
        const auditEntry = JSON.stringify(toAuditEntry(next, 'SETTLED_OUTSIDE', decision));
        return (await sql.resolveChangesOutside(db, { ids, auditEntry })).length > 0;
      }),
  };
}

async function create(
  db: Queryable,
  { changeId: id, bookingId, amount }: ChangeCharge,
  leaseMs: number,
): ReturnType<ChangeStore['create']> {
  const [payment] = await lockCharge(db, { bookingId });
  if (!payment) return null;
  const chargeStatus = firstChargeStatus(await readBalance(db, payment.id), amount);
  const isOver = chargeStatus === 'DECLINED';
  const inserted = await sql.insertCharge(db, {
    ...{ id, paymentId: payment.id, difference: amount, chargeStatus, isOver },
    leaseMs: isOver ? null : leaseMs,
  });
  const [change] = await sql.findChange(db, { id });
  if (!change) throw new Error(`change ${id} is gone`);
  return { change, isNew: inserted.length > 0 };
}

async function reserve(
  db: Queryable,
  { changeId: id, bookingId, amount }: ChangeCharge,
): ReturnType<ChangeStore['reserve']> {
  const [payment] = await lockCharge(db, { bookingId });
  if (!payment) return null;
  const status = firstReductionStatus(await readBalance(db, payment.id), amount);
  await sql.insertReservation(db, { id, paymentId: payment.id, difference: -amount, status });
  const [change] = await sql.findChange(db, { id });
  return change ?? null;
}

async function owe(
  db: Queryable,
  { eventId, changeId: id, bookingId, difference }: ChangeEvent,
  leaseMs: number,
): ReturnType<ChangeStore['owe']> {
  if (!(await recordProcessed(db, eventId))) return null;
  const paymentId = await lockPaid(db, bookingId, id);
  const [reserved] = await sql.oweReserved(db, { id, leaseMs });
  if (reserved) {
    await resumeRefund(db, { paymentId });
    return reserved.owed;
  }
  const owed = refundableAmount(await readBalance(db, paymentId), -difference);
  const inserted = await sql.insertReduction(db, { id, paymentId, difference, owed, leaseMs });
  return inserted.length > 0 ? owed : null;
}

async function release(
  db: Queryable,
  { eventId, changeId: id, bookingId, difference }: ChangeEvent,
  leaseMs: number,
): Promise<boolean> {
  if (!(await recordProcessed(db, eventId))) return false;
  const paymentId = await lockPaid(db, bookingId, id);
  if ((await sql.releaseReserved(db, { id })).length > 0) {
    await resumeRefund(db, { paymentId });
    return false;
  }
  const inserted = await sql.insertCharge(db, {
    ...{ id, paymentId, difference, chargeStatus: 'VOIDED', leaseMs: null, isOver: true },
  });
  if (inserted.length > 0) return false;
  const [change] = await sql.findChange(db, { id });
  const charged = change?.difference ?? difference;
  const owed = refundableAmount(await readBalance(db, paymentId), charged);
  const [row] = await sql.releaseChange(db, { id, owed, leaseMs });
  return row?.is_leased === true;
}

/** Only paid bookings change: an event of another one must not be lost. */
async function lockPaid(db: Queryable, bookingId: string, changeId: string): Promise<string> {
  const [payment] = await lockCharge(db, { bookingId });
  if (!payment) throw new Error(`change ${changeId}: booking ${bookingId} has no payment`);
  return payment.id;
}
