import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import { recordProcessed } from '#platform/messaging/inbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import type { AuditEntry } from '#platform/operator/audit.ts';
import type { PrismaClient } from '#prisma/payment/generated/client.ts';
import { Payment } from '../domain/payment.ts';
import type { PaymentEventType, PaymentStore } from '../ports.ts';
import { toAuditEntry, toEvent, toNewPayment } from './payment-rows.ts';
import * as sql from './payment-statements.ts';

/** The length of a lease: it covers up to two calls to the provider and the statements around them. */
export const leaseMs = (providerTimeoutMs: number): number => 2 * providerTimeoutMs + 5_000;

/**
 * Payments in PostgreSQL; tables and constraints are Prisma's migrations in prisma/payment. Charges
 * and refunds are leased for `lease` milliseconds, by the database's clock.
 */
export function prismaPaymentStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
  lease: number,
): PaymentStore {
  async function findByBooking(bookingId: string): Promise<Payment | null> {
    const row = await prisma.payment.findUnique({ where: { bookingId } });
    if (!row) return null;
    const { startAt, endAt, refundOwed, chargingUntil, ...rest } = row;
    return new Payment({ ...rest, slot: { startAt, endAt } });
  }

  return {
    findByBooking,

    async create(payment) {
      const inserted = await sql.insertPayment(pool, toNewPayment(payment, lease));
      if (inserted.length > 0) return { payment, isNew: true };
      const stored = await findByBooking(payment.state.bookingId);
      if (!stored) throw new Error(`the payment of booking ${payment.state.bookingId} is gone`);
      return { payment: stored, isNew: false };
    },
    claimCharge: async (paymentId) => (await sql.claimCharge(pool, paymentId, lease)).length > 0,
    releaseCharge: async (paymentId) => void (await sql.releaseCharge(pool, paymentId)),

    async save(previous, next, eventType, options = {}) {
      const event = toEvent(eventType, next);
      const fails = options.failsRefund ? 'failed' : null;
      const endsRefund = options.completesRefund ? 'completed' : fails;
      const { saved, published } = await writePayment(
        pool,
        previous,
        next,
        eventType,
        endsRefund,
        event,
      );
      if (published) relay.publish([event]);
      return saved ? 'saved' : 'stale';
    },

    async recordRefundObligation(tombstone, refund, eventId) {
      const { isLeased, events } = await inTransaction(pool, (db) =>
        insertObligation(db, { tombstone, refund, eventId, lease }),
      );
      relay.publish(events);
      return isLeased;
    },

    async findRefund(paymentId) {
      const row = await prisma.refund.findUnique({ where: { paymentId } });
      return (
        row && {
          id: row.id,
          paymentId,
          amount: row.amount,
          completed: row.settledAt !== null,
          completedOutside: row.settledOutside,
          hasFailed: row.failedAt !== null,
          isDue: row.settledAt === null && row.nextAttemptAt !== null,
          attempt: row.attempts,
        }
      );
    },
    async isAnotherRefundFailed(paymentId, refundId) {
      const [row] = await sql.isAnotherRefundFailed(pool, { paymentId, refundId });
      return row?.is_failed === true;
    },
    claimDueRefunds: async (limit) =>
      (await sql.claimDueRefunds(pool, limit, lease)).map((row) => row.booking_id),
    postponeRefund: async ({ paymentId, attempt }) =>
      void (await sql.postponeRefund(pool, paymentId, attempt)),
    async refuseRefund({ paymentId, attempt }) {
      const [row] = await sql.refuseRefund(pool, paymentId, attempt);
      return row?.refusals ?? 0;
    },
    markProcessed: async (eventId) => void (await recordProcessed(pool, eventId)),

    async retryFailedRefund(payment, decision) {
      const entry = toAuditEntry(payment, 'RETRY', decision);
      const [row] = await sql.retryFailedRefund(
        pool,
        payment.state.id,
        lease,
        JSON.stringify(entry),
      );
      return row?.retried === true;
    },

    async resolveOutside(previous, next, decision) {
      const event = toEvent('PaymentCancelled', next);
      const entry = toAuditEntry(next, 'SETTLED_OUTSIDE', decision);
      const isResolved = await inTransaction(pool, (db) =>
        resolveRefundOutside(db, { previous, next, event, entry }),
      );
      if (!isResolved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },
  };
}

/** Writes the next version with its event, and ends the cancellation's refund if it is given how. */
export async function writePayment(
  db: Queryable,
  previous: Payment,
  { state }: Payment,
  eventType: PaymentEventType,
  endsRefund: 'completed' | 'failed' | null,
  event: EventRecord,
) {
  const [row] = await sql.updatePayment(
    db,
    state.id,
    previous.state.version,
    state.status,
    state.refunded,
    state.declineReason,
    state.version,
    state.approvedAt,
    state.paymentMethod,
    endsRefund,
    JSON.stringify([event]),
    eventType !== 'PaymentApproved',
    state.goodwill,
    state.amount,
    state.refundedForChanges,
  );
  return row ?? { saved: false, published: false };
}

/** Owes the refund once for each event; where there is no payment yet, its tombstone refuses a later charge. */
async function insertObligation(
  db: Queryable,
  what: { tombstone: Payment; refund: number; eventId: string; lease: number },
): Promise<{ isLeased: boolean; events: EventRecord[] }> {
  const { tombstone, refund, eventId, lease } = what;
  if (!(await recordProcessed(db, eventId))) return { isLeased: false, events: [] };
  const inserted = await sql.insertPayment(db, toNewPayment(tombstone, null));
  if (inserted.length === 0) {
    const [owed] = await sql.insertObligation(db, tombstone.state.bookingId, refund, lease);
    return { isLeased: owed?.is_leased === true, events: [] };
  }
  const events = [toEvent('PaymentCancelled', tombstone)];
  await sql.insertEvents(db, JSON.stringify(events));
  return { isLeased: false, events };
}

/** Returns false if the payment has another version, or its refund is not left to operators. */
async function resolveRefundOutside(
  db: Queryable,
  what: { previous: Payment; next: Payment; event: EventRecord; entry: AuditEntry },
): Promise<boolean> {
  const { previous, next, event, entry } = what;
  const { id, version } = previous.state;
  // Locks in the order of save: another order could deadlock with it.
  if ((await sql.lockPayment(db, id, version)).length === 0) return false;
  if ((await sql.resolveOutside(db, id, JSON.stringify(entry))).length === 0) return false;
  await writePayment(db, previous, next, 'PaymentCancelled', 'completed', event);
  return true;
}
