import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { internalAuthorization } from '#platform/auth/internal-tokens.ts';
import { projectFile } from '#platform/config/project.ts';
import { peerUrls } from '#platform/config/settings.ts';
import { applyMigrations } from '#platform/database/migrate.ts';
import { openDatabase, type Pool } from '#platform/database/postgres.ts';
import { createSubgraph } from '#platform/graphql/subgraph-server.ts';
import { repeat, runService } from '#platform/lifecycle/lifecycle.ts';
import { postgresProbe } from '#platform/lifecycle/readiness.ts';
import { startArchiving } from '#platform/messaging/archive.ts';
import { openConsumer } from '#platform/messaging/consumer.ts';
import { postgresDeadLetters } from '#platform/messaging/dead-letters.ts';
import { postgresInbox } from '#platform/messaging/inbox.ts';
import { openTransport } from '#platform/messaging/queue.ts';
import { startRelay } from '#platform/messaging/relay.ts';
import { storedEvents } from '#platform/messaging/stored-events.ts';
import { correlationId, withCorrelation } from '#platform/observability/correlation.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { postgresAuditLog } from '#platform/operator/audit.ts';
import { auditResolvers } from '#platform/operator/audit-resolvers.ts';
import { serveBookingRecords } from '#platform/operator/booking-records.ts';
import { deadLetterResolvers } from '#platform/operator/dead-letter-resolvers.ts';
import { postgresErasure } from '#platform/operator/erasure.ts';
import { erasureResolvers } from '#platform/operator/erasure-resolvers.ts';
import { PrismaClient } from '#prisma/payment/generated/client.ts';
import { backgroundWork } from './adapters/background.ts';
import { paymentRecords } from './adapters/booking-records.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { leaseMs, prismaPaymentStore } from './adapters/prisma-payment-store.ts';
import { providerCircuit } from './adapters/provider-circuit.ts';
import { refundMetrics } from './adapters/refund-metrics.ts';
import { resolvers } from './adapters/resolvers.ts';
import { sandboxProvider } from './adapters/sandbox-provider.ts';
import { sweepRefunds } from './application/sweep-refunds.ts';
import { paymentConfig } from './config.ts';
import type { PaymentPorts } from './ports.ts';

await runService('payment', paymentConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const { onDrain, onDrained, onStop } = lifecycle;
  const authorize = internalAuthorization('payment', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('payment');
  await applyMigrations({
    databaseUrl: config.PAYMENT_DATABASE_URL,
    migrationsDir: projectFile('prisma/payment/migrations'),
    allowIncompatible: config.ALLOW_INCOMPATIBLE_MIGRATIONS,
    log: logger,
  });
  const database = openDatabase(config.PAYMENT_DATABASE_URL, logger);
  const probe = postgresProbe(config.PAYMENT_DATABASE_URL);
  const transport = openTransport(config, logger, metrics);
  const relay = startRelay({
    pool: database.workers,
    transport,
    authorize,
    inboxUrls: peerUrls(config),
    publisher: 'payment',
    metrics,
    logger,
  });

  // One circuit and one map of charges under way, for requests and workers alike. The sandbox keeps
  // its books in this database, as if it were elsewhere: blocked workers must not hold it up.
  const sandbox = sandboxProvider(database.requests, config.PROVIDER_TIMEOUT_MS);
  const provider = providerCircuit('sandbox', sandbox, metrics, logger);
  refundMetrics(database.workers, metrics);
  const background = backgroundWork(config.PAYMENT_ANSWER_MS, (error) =>
    logger.warn({ err: error }, 'work in the background failed'),
  );
  const underWay: PaymentPorts['underWay'] = new Map();
  const portsOn = (pool: Pool): PaymentPorts => ({
    payments: prismaPaymentStore(
      new PrismaClient({ adapter: new PrismaPg(pool) }),
      pool,
      relay,
      leaseMs(config.PROVIDER_TIMEOUT_MS),
    ),
    provider,
    background,
    underWay,
    maxRefundAttempts: config.MAX_REFUND_ATTEMPTS,
    clock: () => new Date(),
    newId: uuidv7,
    correlationId,
    resume: ({ state }, work) => withCorrelation(state.correlationId, work),
    log: {
      info: (message, facts) => logger.info(facts, message),
      warn: (message, facts) => logger.warn(facts, message),
      error: (message, facts) => logger.error(facts, message),
    },
  });
  const workerPorts = portsOn(database.workers);

  const consumer = openConsumer({
    name: 'payment',
    transport,
    inbox: postgresInbox(database.workers),
    deadLetters: postgresDeadLetters(database.workers),
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'payment',
    config,
    schemaFile: projectFile('subgraphs/payment/schema.graphql'),
    resolvers: [
      resolvers(portsOn(database.requests)),
      deadLetterResolvers('Payment', postgresDeadLetters(database.requests), consumer, logger),
      auditResolvers('Payment', postgresAuditLog(database.requests)),
      erasureResolvers('Payment', postgresErasure(database.requests, ['payment'])),
    ],
    context: (base) => base,
    inbox: postgresInbox(database.requests),
    events: storedEvents(database.requests),
    serve: (app) => serveBookingRecords(app, paymentRecords(database.requests, provider)),
    health: { ready: () => probe.check(), draining },
    metrics,
    logger,
  });
  await consumeEvents(consumer, workerPorts);
  const stopSweeper = repeat(logger, 'settling refunds', 500, () => sweepRefunds(workerPorts));
  const stopArchiving = startArchiving({
    pool: database.workers,
    keepHours: config.OUTBOX_KEEP_HOURS,
    logger,
  });
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'payment is ready');

  // Consumers and sweepers first: no work begins in a process that is about to end, and others
  // or the next one take it over. The relay goes on: it sends what requests still commit.
  onDrain('archiving', stopArchiving);
  onDrain('sweeper', stopSweeper);
  onDrain('queue workers', () => transport.stopReceiving());
  onDrained('requests', () => server.close());
  // What takes longer is found again in the database and at the provider.
  onStop('charges and refunds', () => background.drain(4_000));
  onStop('provider', () => provider.close());
  onStop('relay', () => relay.stop());
  onStop('queue', () => transport.close());
  onStop('database', () => Promise.all([probe.close(), database.close()]));
});
