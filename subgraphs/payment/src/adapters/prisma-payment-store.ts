import { paymentEvents } from '#contracts/payment.ts';
import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { recordProcessed } from '#platform/messaging/inbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { withCorrelation } from '#platform/observability/correlation.ts';
import { type AuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { PrismaClient } from '#prisma/payment/generated/client.ts';
import { Payment } from '../domain/payment.ts';
import type { PaymentEventType, PaymentStore, RefundDecision } from '../ports.ts';
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

  async function write(
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
    );
    return row ?? { saved: false, published: false };
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
      const { saved, published } = await write(pool, previous, next, eventType, endsRefund, event);
      if (published) relay.publish([event]);
      return saved ? 'saved' : 'stale';
    },

    async recordRefundObligation(tombstone, refund, eventId) {
      const { isLeased, events } = await inTransaction(pool, async (db) => {
        const unchanged = { isLeased: false, events: [] as EventRecord[] };
        if (!(await recordProcessed(db, eventId))) return unchanged;
        const inserted = await sql.insertPayment(db, toNewPayment(tombstone, null));
        if (inserted.length === 0) {
          const owed = await sql.insertObligation(db, tombstone.state.bookingId, refund, lease);
          return { ...unchanged, isLeased: owed.length > 0 };
        }
        const events = [toEvent('PaymentCancelled', tombstone)];
        await sql.insertEvents(db, JSON.stringify(events));
        return { ...unchanged, events };
      });
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
      const entry = JSON.stringify(toAuditEntry(next, 'SETTLED_OUTSIDE', decision));
      const { id, version } = previous.state;
      const isResolved = await inTransaction(pool, async (db) => {
        // Locks in the order of save: another order could deadlock with it.
        if ((await sql.lockPayment(db, id, version)).length === 0) return false;
        if ((await sql.resolveOutside(db, id, entry)).length === 0) return false;
        await write(db, previous, next, 'PaymentCancelled', 'completed', event);
        return true;
      });
      if (!isResolved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },
  };
}

function toAuditEntry(
  { state }: Payment,
  resolution: 'RETRY' | 'SETTLED_OUTSIDE',
  { operatorId, reason }: RefundDecision,
): AuditEntry {
  return newAuditEntry({
    userId: operatorId,
    actedAs: 'operator',
    action: 'resolveRefund',
    subjectType: 'booking',
    subjectId: state.bookingId,
    details: { resolution, reason },
  });
}

function toNewPayment({ state }: Payment, leaseMs: number | null): sql.NewPayment {
  const { id, bookingId, customerId, spaceId, slot, amount, currency } = state;
  const { paymentMethod, status, version, requestedAt, correlationId } = state;
  return {
    ...{ id, bookingId, customerId, spaceId, startAt: slot.startAt, endAt: slot.endAt },
    ...{ amount, currency, paymentMethod, status, version, requestedAt, correlationId, leaseMs },
  };
}

function toEvent(type: PaymentEventType, { state }: Payment): EventRecord {
  return withCorrelation(state.correlationId, () =>
    newEvent(type, paymentEvents[type], {
      aggregateId: state.id,
      version: state.version,
      occurredAt: new Date(),
      payload: {
        paymentId: state.id,
        bookingId: state.bookingId,
        spaceId: state.spaceId,
        slot: state.slot,
        status: state.status,
        amount: state.amount,
        refunded: state.refunded,
        currency: state.currency,
      },
    }),
  );
}
