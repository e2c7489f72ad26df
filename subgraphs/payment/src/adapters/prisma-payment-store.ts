import { paymentEvents } from '#contracts/payment.ts';
import { inTransaction, type Pool, type Queryable } from '#platform/database/postgres.ts';
import { type EventRecord, newEvent } from '#platform/messaging/events.ts';
import { takeEvent } from '#platform/messaging/inbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { withCorrelation } from '#platform/observability/correlation.ts';
import { type AuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { PrismaClient } from '#prisma/payment/generated/client.ts';
import { Payment } from '../domain/payment.ts';
import type { PaymentNews, PaymentStore, RefundDecision } from '../ports.ts';
import * as sql from './payment-statements.ts';

/** How long a lease lasts: the two calls to the provider that it may cover, and what is around them. */
export const leaseMs = (providerTimeoutMs: number): number => 2 * providerTimeoutMs + 5_000;

/**
 * Payments in PostgreSQL; tables and constraints are Prisma's migrations in prisma/payment. Charges
 * and refunds are leased for `lease` ms, by the database's clock.
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
    news: PaymentNews,
    closes: 'settled' | 'failed' | null,
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
      closes,
      JSON.stringify([event]),
      news !== 'PaymentApproved',
    );
    return row ?? { saved: false, published: false };
  }

  return {
    findByBooking,

    async request(payment) {
      const inserted = await sql.insertPayment(pool, ...columnsOf(payment), lease);
      if (inserted.length > 0) return { payment, isNew: true };
      const known = await findByBooking(payment.state.bookingId);
      if (!known) throw new Error(`the payment of booking ${payment.state.bookingId} is gone`);
      return { payment: known, isNew: false };
    },
    claimCharge: async (paymentId) => (await sql.claimCharge(pool, paymentId, lease)).length > 0,
    releaseCharge: async (paymentId) => void (await sql.releaseCharge(pool, paymentId)),

    async save(previous, next, news, options = {}) {
      const event = eventOf(news, next);
      const fails = options.failsRefund ? 'failed' : null;
      const closes = options.settlesRefund ? 'settled' : fails;
      const { saved, published } = await write(pool, previous, next, news, closes, event);
      if (published) relay.publish([event]);
      return saved ? 'saved' : 'stale';
    },

    async giveUp(tombstone, refund, eventId) {
      const { isLeased, events } = await inTransaction(pool, async (db) => {
        const nothing = { isLeased: false, events: [] as EventRecord[] };
        if (!(await takeEvent(db, eventId))) return nothing;
        const inserted = await sql.insertPayment(db, ...columnsOf(tombstone), null);
        if (inserted.length === 0) {
          const owed = await sql.oweRefund(db, tombstone.state.bookingId, refund, lease);
          return { ...nothing, isLeased: owed.length > 0 };
        }
        const events = [eventOf('PaymentCancelled', tombstone)];
        await sql.insertNews(db, JSON.stringify(events));
        return { ...nothing, events };
      });
      relay.publish(events);
      return isLeased;
    },

    async refundOf(paymentId) {
      const row = await prisma.refund.findUnique({ where: { paymentId } });
      return (
        row && {
          id: row.id,
          paymentId,
          amount: row.amount,
          settled: row.settledAt !== null,
          settledOutside: row.settledOutside,
          failed: row.failedAt !== null,
          isDue: row.settledAt === null && row.nextAttemptAt !== null,
          attempt: row.attempts,
        }
      );
    },
    claimDueRefunds: async (limit) =>
      (await sql.claimRefunds(pool, limit, lease)).map((row) => row.booking_id),
    postponeRefund: async ({ paymentId, attempt }) =>
      void (await sql.postponeRefund(pool, paymentId, attempt)),
    async refuseRefund({ paymentId, attempt }) {
      const [row] = await sql.refuseRefund(pool, paymentId, attempt);
      return row?.refusals ?? 0;
    },
    take: async (eventId) => void (await takeEvent(pool, eventId)),

    async retryFailedRefund(payment, decision) {
      const entry = entryOf(payment, 'RETRY', decision);
      const [row] = await sql.retryFailed(pool, payment.state.id, lease, JSON.stringify(entry));
      return row?.retried === true;
    },

    async settleOutside(previous, next, decision) {
      const event = eventOf('PaymentCancelled', next);
      const entry = JSON.stringify(entryOf(next, 'SETTLED_OUTSIDE', decision));
      const { id, version } = previous.state;
      const isSettled = await inTransaction(pool, async (db) => {
        // In the order of save, so that the two cannot block each other.
        if ((await sql.lockPayment(db, id, version)).length === 0) return false;
        if ((await sql.settleOutside(db, id, entry)).length === 0) return false;
        await write(db, previous, next, 'PaymentCancelled', 'settled', event);
        return true;
      });
      if (!isSettled) return 'stale';
      relay.publish([event]);
      return 'saved';
    },
  };
}

function entryOf(
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

function columnsOf({ state }: Payment): unknown[] {
  return [
    state.id,
    state.bookingId,
    state.customerId,
    state.spaceId,
    state.slot.startAt,
    state.slot.endAt,
    state.amount,
    state.currency,
    state.paymentMethod,
    state.status,
    state.version,
    state.requestedAt,
    state.correlationId,
  ];
}

function eventOf(news: PaymentNews, { state }: Payment): EventRecord {
  return withCorrelation(state.correlationId, () =>
    newEvent(news, paymentEvents[news], {
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
