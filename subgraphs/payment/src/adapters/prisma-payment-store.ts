import { paymentEvents } from '#contracts/payment.ts';
import { withCorrelation } from '#platform/correlation.ts';
import { type EventRecord, newEvent } from '#platform/events.ts';
import { takeEvent } from '#platform/inbox.ts';
import { insertOutbox } from '#platform/outbox.ts';
import { inTransaction, type Pool, statement } from '#platform/postgres.ts';
import type { Relay } from '#platform/relay.ts';
import type { PrismaClient } from '#prisma/payment/generated/client.ts';
import { Payment } from '../domain/payment.ts';
import type { PaymentNews, PaymentStore } from '../ports.ts';

const insertPayment = statement<{ id: string }>(
  'payment-request',
  `INSERT INTO payment (id, booking_id, customer_id, space_id, start_at, end_at, amount, currency,
          payment_method, status, version, requested_at, correlation_id)
   VALUES ($1::uuid, $2::uuid, $3, $4::uuid, $5, $6, $7, $8::currency, $9, $10::payment_status,
          $11, $12, $13)
   ON CONFLICT (booking_id) DO NOTHING
   RETURNING id`,
);

const updatePayment = statement<{ saved: boolean }>(
  'payment-save',
  `WITH changed AS (
     UPDATE payment
        SET status = $3::payment_status, refunded = $4, decline_reason = $5, version = $6,
            approved_at = $7
      WHERE id = $1::uuid AND version = $2
  RETURNING id),
   settled AS (
     UPDATE refund SET settled_at = now(), next_attempt_at = NULL
      WHERE payment_id = $1::uuid AND $8::boolean AND EXISTS (SELECT FROM changed)),
   told AS (${insertOutbox('$9', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS saved`,
);

const insertNews = statement('outbox-insert', insertOutbox('$1'));

// The caller is about to settle it: the sweeper comes only when that fails.
const oweRefund = statement(
  'refund-owe',
  `INSERT INTO refund (payment_id, amount, next_attempt_at)
   SELECT id, least($2, amount), now() + interval '10 seconds'
     FROM payment WHERE booking_id = $1::uuid AND status <> 'VOIDED'
   ON CONFLICT (payment_id) DO NOTHING`,
);

const claimRefunds = statement<{ booking_id: string }>(
  'refund-claim-due',
  `UPDATE refund r
      SET attempts = attempts + 1,
          next_attempt_at = $1::timestamptz + least(60, 2 ^ least(attempts, 6)) * interval '1 second'
     FROM payment p
    WHERE p.id = r.payment_id
      AND r.payment_id IN (SELECT payment_id FROM refund
                            WHERE settled_at IS NULL AND next_attempt_at <= $1
                            ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING p.booking_id`,
);

/** Payments in PostgreSQL; tables and constraints are Prisma's migrations in prisma/payment. */
export function prismaPaymentStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): PaymentStore {
  async function findByBooking(bookingId: string): Promise<Payment | null> {
    const row = await prisma.payment.findUnique({ where: { bookingId } });
    if (!row) return null;
    const { startAt, endAt, ...rest } = row;
    return new Payment({ ...rest, slot: { startAt, endAt } });
  }

  return {
    findByBooking,

    async request(payment) {
      const inserted = await insertPayment(pool, ...columnsOf(payment));
      if (inserted.length > 0) return { payment, isNew: true };
      const known = await findByBooking(payment.state.bookingId);
      if (!known) throw new Error(`the payment of booking ${payment.state.bookingId} is gone`);
      return { payment: known, isNew: false };
    },

    async save(previous, next, news, options) {
      const { state } = next;
      const event = eventOf(news, next);
      const [row] = await updatePayment(
        pool,
        state.id,
        previous.state.version,
        state.status,
        state.refunded,
        state.declineReason,
        state.version,
        state.approvedAt,
        options?.settlesRefund ?? false,
        JSON.stringify([event]),
      );
      if (!row?.saved) return 'stale';
      relay.publish([event]);
      return 'saved';
    },

    async giveUp(tombstone, refund, eventId) {
      const news = await inTransaction(pool, async (db): Promise<EventRecord[]> => {
        if (!(await takeEvent(db, eventId))) return [];
        const inserted = await insertPayment(db, ...columnsOf(tombstone));
        if (inserted.length === 0) {
          await oweRefund(db, tombstone.state.bookingId, refund);
          return [];
        }
        const events = [eventOf('PaymentCancelled', tombstone)];
        await insertNews(db, JSON.stringify(events));
        return events;
      });
      relay.publish(news);
    },

    async refundOf(paymentId) {
      const row = await prisma.refund.findUnique({ where: { paymentId } });
      return row && { paymentId, amount: row.amount, settled: row.settledAt !== null };
    },
    claimDueRefunds: async (now, limit) =>
      (await claimRefunds(pool, now, limit)).map((row) => row.booking_id),
    take: async (eventId) => void (await takeEvent(pool, eventId)),
  };
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
        slot: {
          startAt: state.slot.startAt.toISOString(),
          endAt: state.slot.endAt.toISOString(),
        },
        status: state.status,
        amount: state.amount,
        refunded: state.refunded,
        currency: state.currency,
      },
    }),
  );
}
