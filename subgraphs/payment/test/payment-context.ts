import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { EventRecord } from '#platform/messaging/events.ts';
import { PrismaClient } from '#prisma/payment/generated/client.ts';
import { createDatabase } from '../../../tests/support/database.ts';
import { until } from '../../../tests/support/system.ts';
import { backgroundWork } from '../src/adapters/background.ts';
import { postgresChangeStore } from '../src/adapters/postgres-change-store.ts';
import { postgresGoodwillStore } from '../src/adapters/postgres-goodwill-store.ts';
import { leaseMs, prismaPaymentStore } from '../src/adapters/prisma-payment-store.ts';
import { sandboxProvider } from '../src/adapters/sandbox-provider.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts } from '../src/ports.ts';

const PROVIDER_TIMEOUT_MS = 40;
/** Longer than any work here; tests of the timeout set a shorter one. */
const RESPONSE_TIMEOUT_MS = 60_000;
export const MAX_REFUND_ATTEMPTS = 3;

/** Payment's store and sandbox provider on a database of their own, with queries for assertions. */
export async function openPaymentContext() {
  const database = await createDatabase('payment');
  const prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  const published: EventRecord[] = [];
  const logged: string[] = [];
  const relay = { publish: (events: EventRecord[]) => void published.push(...events) };
  const ports: PaymentPorts = {
    payments: prismaPaymentStore(prisma, database.pool, relay, leaseMs(PROVIDER_TIMEOUT_MS)),
    goodwill: postgresGoodwillStore(database.pool, relay, leaseMs(PROVIDER_TIMEOUT_MS)),
    changes: postgresChangeStore(database.pool, relay, leaseMs(PROVIDER_TIMEOUT_MS)),
    background: backgroundWork(RESPONSE_TIMEOUT_MS, () => {}),
    chargesInProgress: new Map(),
    changesInProgress: new Map(),
    maxRefundAttempts: MAX_REFUND_ATTEMPTS,
    provider: sandboxProvider(database.pool, PROVIDER_TIMEOUT_MS),
    clock: () => new Date(),
    newId: uuidv7,
    correlationId: randomUUID,
    resume: (_payment, work) => work(),
    log: {
      info: () => {},
      warn: (message) => void logged.push(`warn: ${message}`),
      error: (message) => void logged.push(`error: ${message}`),
    },
  };

  return {
    ports,
    published,
    logged,
    pool: database.pool,
    query: database.query,
    whileLocked: database.whileLocked,

    /** The sums that the provider has charged and refunded, from its own tables. */
    async chargedAndRefunded(bookingId: string) {
      const [row] = await database.query<{ charged: number; refunded: number }>(
        `SELECT (SELECT coalesce(sum(amount), 0)::int FROM sandbox_charge
                  WHERE coalesce(account, key) = $1 AND outcome = 'APPROVED') AS charged,
                (SELECT coalesce(sum(amount), 0)::int FROM sandbox_refund WHERE charge_key = $1) AS refunded`,
        [bookingId],
      );
      return row;
    },

    /** The types of the events that were published of the booking's payment, oldest first. */
    async publishedTypes(bookingId: string): Promise<string[]> {
      const rows = await database.query<{ type: string }>(
        `SELECT type FROM outbox WHERE payload->>'bookingId' = $1 ORDER BY version`,
        [bookingId],
      );
      return rows.map(({ type }) => type);
    },

    /** Waits until a statement like `pattern` waits for a lock. */
    async waitForLock(pattern: string): Promise<void> {
      await until('a statement waits for a lock', async () => {
        const [waiting] = await database.query<{ waits: boolean }>(
          `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'
                   AND query LIKE $1 AND datname = current_database()) AS waits`,
          [pattern],
        );
        return waiting?.waits === true;
      });
    },

    /** Ends the pauses and leases of all refunds. */
    async makeRefundsDue(): Promise<void> {
      for (const table of ['refund', 'goodwill_refund', 'payment_change']) {
        await database.query(
          `UPDATE ${table} SET next_attempt_at = now() - interval '1 second' WHERE next_attempt_at IS NOT NULL`,
        );
      }
    },

    async findObligations(bookingId: string): Promise<{ amount: number; completed: boolean }[]> {
      return database.query(
        `SELECT r.amount, settled_at IS NOT NULL AS completed
           FROM refund r JOIN payment p ON p.id = r.payment_id WHERE booking_id = $1`,
        [bookingId],
      );
    },

    async close() {
      await prisma.$disconnect();
      await database.drop();
    },
  };
}

export type PaymentContext = Awaited<ReturnType<typeof openPaymentContext>>;

export function aRequest(changes: Partial<PaymentRequest> = {}): PaymentRequest {
  return {
    bookingId: uuidv7(),
    customerId: 'chulsoo',
    spaceId: uuidv7(),
    slot: { startAt: new Date('2030-06-03T01:00:00Z'), endAt: new Date('2030-06-03T03:00:00Z') },
    amount: 60_000,
    currency: 'KRW',
    paymentMethod: 'pm_ok',
    ...changes,
  };
}
