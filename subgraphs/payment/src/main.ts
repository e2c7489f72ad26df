import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { Pool } from '#platform/database/postgres.ts';
import { withStatementSpans } from '#platform/database/statement-spans.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import { runPublishingContext } from '#platform/lifecycle/publishing-context.ts';
import { correlationId } from '#platform/observability/correlation.ts';
import { serveBookingRecords } from '#platform/operator/booking-records.ts';
import { postgresErasure } from '#platform/operator/erasure.ts';
import { inLateSpan } from '#platform/tracing/tracing.ts';
import { PrismaClient } from '#prisma/payment/generated/client.ts';
import { backgroundWork } from './adapters/background.ts';
import { paidBookingIds, paymentRecords } from './adapters/booking-records.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { paymentCounters } from './adapters/payment-counters.ts';
import { postgresChangeStore } from './adapters/postgres-change-store.ts';
import { postgresGoodwillStore } from './adapters/postgres-goodwill-store.ts';
import { leaseMs, prismaPaymentStore } from './adapters/prisma-payment-store.ts';
import { providerCircuit } from './adapters/provider-circuit.ts';
import { refundMetrics } from './adapters/refund-metrics.ts';
import { resolvers } from './adapters/resolvers.ts';
import { sandboxProvider } from './adapters/sandbox-provider.ts';
import {
  retryDueChanges,
  retryDueGoodwillRefunds,
  retryDueRefunds,
} from './application/retry-due-refunds.ts';
import { paymentConfig } from './config.ts';
import type { PaymentPorts } from './ports.ts';

const RETRY_REFUNDS_MS = 500;
const BACKGROUND_DRAIN_MS = 4_000;

const payment = {
  name: 'payment',
  title: 'Payment',
  configure: paymentConfig,
  databaseUrl: ({ PAYMENT_DATABASE_URL }: ReturnType<typeof paymentConfig>) => PAYMENT_DATABASE_URL,
} as const;

await runPublishingContext(payment, ({ config, logger, metrics, database, relay }) => {
  const { requests, workers } = database;
  // Requests and workers share one circuit and one map of charges. The sandbox stores its charges in this
  // database as if it were elsewhere: on the requests' pool, blocked workers do not delay it.
  const sandbox = sandboxProvider(requests, config.PROVIDER_TIMEOUT_MS);
  const provider = providerCircuit('sandbox', sandbox, metrics, logger);
  refundMetrics(workers, metrics);
  const counting = paymentCounters(metrics);
  const background = backgroundWork(config.PAYMENT_ANSWER_MS, (error) =>
    logger.warn({ err: error }, 'work in the background failed'),
  );
  const chargesInProgress: PaymentPorts['chargesInProgress'] = new Map();
  const changesInProgress: PaymentPorts['changesInProgress'] = new Map();

  const lease = leaseMs(config.PROVIDER_TIMEOUT_MS);
  const portsOn = (pool: Pool): PaymentPorts =>
    counting({
      payments: prismaPaymentStore(
        new PrismaClient({ adapter: withStatementSpans(new PrismaPg(pool), 'postgresql') }),
        pool,
        relay,
        lease,
      ),
      goodwill: postgresGoodwillStore(pool, relay, lease),
      changes: postgresChangeStore(pool, relay, lease),
      provider,
      background,
      chargesInProgress,
      changesInProgress,
      maxRefundAttempts: config.MAX_REFUND_ATTEMPTS,
      clock: () => new Date(),
      newId: uuidv7,
      correlationId,
      resume: ({ state }, work) => inLateSpan('resume payment', state.correlationId, work),
      log: {
        info: (message, fields) => logger.info(fields, message),
        warn: (message, fields) => logger.warn(fields, message),
        error: (message, fields) => logger.error(fields, message),
      },
    });
  const workerPorts = portsOn(workers);

  return {
    resolvers: [resolvers(portsOn(requests))],
    erasure: postgresErasure(requests, ['payment']),
    serve: (app) =>
      serveBookingRecords(app, paymentRecords(requests, provider), paidBookingIds(requests)),
    consume: (consumer) => consumeEvents(consumer, workerPorts),
    startJobs: () => ({
      'retries of refunds': repeat(logger, 'retrying refunds', RETRY_REFUNDS_MS, () =>
        retryDueRefunds(workerPorts),
      ),
      'retries of goodwill refunds': repeat(
        logger,
        'retrying goodwill refunds',
        RETRY_REFUNDS_MS,
        () => retryDueGoodwillRefunds(workerPorts),
      ),
      'retries of changes': repeat(logger, 'retrying changes', RETRY_REFUNDS_MS, () =>
        retryDueChanges(workerPorts),
      ),
    }),
    stops: {
      // Work that takes longer is found again in the database and at the provider.
      'charges and refunds': () => background.drain(BACKGROUND_DRAIN_MS),
      provider: () => provider.close(),
    },
  };
});
