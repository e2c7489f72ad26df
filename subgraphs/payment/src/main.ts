import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { paymentEvents } from '#contracts/payment.ts';
import { startArchiving } from '#platform/archive.ts';
import { postgresAuditLog } from '#platform/audit.ts';
import { auditResolvers } from '#platform/audit-resolvers.ts';
import { openConsumer } from '#platform/consume.ts';
import { correlationId, withCorrelation } from '#platform/correlation.ts';
import { deadLetterResolvers } from '#platform/dead-letter-resolvers.ts';
import { postgresDeadLetters } from '#platform/dead-letters.ts';
import { postgresErasure } from '#platform/erasure.ts';
import { erasureResolvers } from '#platform/erasure-resolvers.ts';
import { postgresInbox } from '#platform/inbox.ts';
import { internalAuthorization } from '#platform/internal-tokens.ts';
import { repeat, runService } from '#platform/lifecycle.ts';
import { createMetrics } from '#platform/metrics.ts';
import { applyMigrations } from '#platform/migrate.ts';
import { openPostgres } from '#platform/postgres.ts';
import { projectFile } from '#platform/project.ts';
import { openTransport } from '#platform/queue.ts';
import { startRelay } from '#platform/relay.ts';
import { createSubgraph } from '#platform/server.ts';
import { storedEvents } from '#platform/stored-events.ts';
import { PrismaClient } from '#prisma/payment/generated/client.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { prismaPaymentStore } from './adapters/prisma-payment-store.ts';
import { resolvers } from './adapters/resolvers.ts';
import { sandboxProvider } from './adapters/sandbox-provider.ts';
import { sweepRefunds } from './application/cancel-payment.ts';
import { paymentConfig } from './config.ts';
import type { PaymentPorts } from './ports.ts';

await runService('payment', paymentConfig, async ({ config, logger, onStop }) => {
  const authorize = internalAuthorization('payment', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('payment');
  await applyMigrations({
    databaseUrl: config.PAYMENT_DATABASE_URL,
    migrationsDir: projectFile('prisma/payment/migrations'),
    log: logger,
  });
  const pool = openPostgres(config.PAYMENT_DATABASE_URL, logger);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const transport = await openTransport(config, logger);
  const relay = startRelay({
    pool,
    transport,
    authorize,
    inboxUrls: { book: config.BOOK_URL, space: config.SPACE_URL, mypage: config.MYPAGE_URL },
    contracts: paymentEvents,
    metrics,
    logger,
  });

  const ports: PaymentPorts = {
    payments: prismaPaymentStore(prisma, pool, relay),
    provider: sandboxProvider(pool, config.PROVIDER_TIMEOUT_MS),
    clock: () => new Date(),
    newId: uuidv7,
    correlationId,
    resume: ({ state }, work) => withCorrelation(state.correlationId, work),
    log: (message, facts) => logger.info(facts, message),
  };

  const inbox = postgresInbox(pool);
  const deadLetters = postgresDeadLetters(pool);
  const consumer = openConsumer({
    name: 'payment',
    transport,
    inbox,
    deadLetters,
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'payment',
    config,
    schemaFile: projectFile('subgraphs/payment/schema.graphql'),
    resolvers: [
      resolvers(ports),
      deadLetterResolvers('Payment', deadLetters, consumer, logger),
      auditResolvers('Payment', postgresAuditLog(pool)),
      erasureResolvers('Payment', postgresErasure(pool, ['payment'])),
    ],
    context: (base) => base,
    inbox,
    events: storedEvents(pool),
    ready: () => Promise.all([pool.query('SELECT 1'), transport.ping()]),
    metrics,
    logger,
  });
  await consumeEvents(consumer, ports);
  const stopSweeper = repeat(logger, 'settling refunds', 500, () => sweepRefunds(ports));
  const stopArchiving = startArchiving({ pool, keepHours: config.OUTBOX_KEEP_HOURS, logger });
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'payment is ready');

  onStop('requests', () => server.close());
  onStop('archiving', stopArchiving);
  onStop('sweeper', stopSweeper);
  onStop('queue workers', () => transport.stopReceiving());
  onStop('relay', () => relay.stop());
  onStop('queue', () => transport.close());
  onStop('database', async () => {
    await prisma.$disconnect();
    await pool.end();
  });
});
