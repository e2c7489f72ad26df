import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { bookingEvents } from '#contracts/book.ts';
import { startArchiving } from '#platform/archive.ts';
import { postgresAuditLog } from '#platform/audit.ts';
import { auditResolvers } from '#platform/audit-resolvers.ts';
import { openConsumer } from '#platform/consume.ts';
import { correlationId, withCorrelation } from '#platform/correlation.ts';
import { deadLetterResolvers } from '#platform/dead-letter-resolvers.ts';
import { postgresDeadLetters } from '#platform/dead-letters.ts';
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
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { bookErasure, erasureBeginning } from './adapters/customer-erasure.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { paymentClient } from './adapters/payment-client.ts';
import { prismaBookingStore } from './adapters/prisma-booking-store.ts';
import { prismaCatalogue } from './adapters/prisma-catalogue.ts';
import { resolvers } from './adapters/resolvers.ts';
import { SWEEP_MS, sweepUnpaid } from './application/booking-saga.ts';
import { bookConfig } from './config.ts';
import type { BookPorts } from './ports.ts';

await runService('book', bookConfig, async ({ config, logger, onStop }) => {
  const authorize = internalAuthorization('book', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('book');
  await applyMigrations({
    databaseUrl: config.BOOK_DATABASE_URL,
    migrationsDir: projectFile('prisma/book/migrations'),
    log: logger,
  });
  const pool = openPostgres(config.BOOK_DATABASE_URL, logger);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const transport = await openTransport(config, logger);
  const relay = startRelay({
    pool,
    transport,
    authorize,
    inboxUrls: { payment: config.PAYMENT_URL, space: config.SPACE_URL, mypage: config.MYPAGE_URL },
    contracts: bookingEvents,
    metrics,
    logger,
  });
  const payments = paymentClient(
    config.PAYMENT_URL,
    authorize,
    config.PAYMENT_TIMEOUT_MS,
    metrics,
    logger,
  );

  const ports: BookPorts = {
    bookings: prismaBookingStore(prisma, pool, relay),
    catalogue: prismaCatalogue(prisma, pool),
    payments,
    clock: () => new Date(),
    newId: uuidv7,
    correlationId,
    resume: ({ state }, work) => withCorrelation(state.correlationId, work),
    holdSeconds: config.HOLD_SECONDS,
    deferredPerSecond: config.DEFERRED_PAYMENTS_PER_SECOND,
    log: (message, facts) => logger.info(facts, message),
  };

  const inbox = postgresInbox(pool);
  const deadLetters = postgresDeadLetters(pool);
  const consumer = openConsumer({
    name: 'book',
    transport,
    inbox,
    deadLetters,
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'book',
    config,
    schemaFile: projectFile('subgraphs/book/schema.graphql'),
    resolvers: [
      resolvers(ports),
      deadLetterResolvers('Book', deadLetters, consumer, logger),
      auditResolvers('Book', postgresAuditLog(pool)),
      erasureResolvers('Book', bookErasure(pool)),
      erasureBeginning(pool),
    ],
    context: (base) => base,
    inbox,
    events: storedEvents(pool),
    ready: () => Promise.all([pool.query('SELECT 1'), transport.ping()]),
    metrics,
    logger,
  });
  await consumeEvents(consumer, ports, logger);
  const stopSweeper = repeat(logger, 'asking for unpaid bookings', SWEEP_MS, () =>
    sweepUnpaid(ports),
  );
  const stopArchiving = startArchiving({ pool, keepHours: config.OUTBOX_KEEP_HOURS, logger });
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'book is ready');

  onStop('requests', () => server.close());
  onStop('archiving', stopArchiving);
  onStop('sweeper', stopSweeper);
  onStop('queue workers', () => transport.stopReceiving());
  onStop('relay', () => relay.stop());
  onStop('queue', () => transport.close());
  onStop('payment client', () => payments.close());
  onStop('database', async () => {
    await prisma.$disconnect();
    await pool.end();
  });
});
