import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { bookingEvents } from '#contracts/book.ts';
import { internalAuthorization } from '#platform/auth/internal-tokens.ts';
import { projectFile } from '#platform/config/project.ts';
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
import { deadLetterResolvers } from '#platform/operator/dead-letter-resolvers.ts';
import { erasureResolvers } from '#platform/operator/erasure-resolvers.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { bookingMetrics } from './adapters/booking-metrics.ts';
import { bookingSearch } from './adapters/booking-search.ts';
import { contextRecordsClient } from './adapters/context-records-client.ts';
import { bookErasure, erasureStart } from './adapters/customer-erasure.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { overdueBookings } from './adapters/overdue-bookings.ts';
import { paymentClient } from './adapters/payment-client.ts';
import { postgresReconciliationStore } from './adapters/postgres-reconciliation-store.ts';
import { prismaBookingStore } from './adapters/prisma-booking-store.ts';
import { prismaCatalogue } from './adapters/prisma-catalogue.ts';
import { startReconciliation } from './adapters/reconciliation.ts';
import { resolvers } from './adapters/resolvers.ts';
import { sagaInquiries } from './adapters/saga-inquiries.ts';
import { storedNotifications } from './adapters/stored-notifications.ts';
import { RETRY_PERIOD_MS, retryDuePayments } from './application/booking-saga.ts';
import { CHECK_PERIOD_MS, checkOverdue } from './application/check-overdue.ts';
import { bookConfig } from './config.ts';
import type { BookPorts } from './ports.ts';

await runService('book', bookConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const { onDrain, onDrained, onStop } = lifecycle;
  const authorize = internalAuthorization('book', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('book');
  await applyMigrations({
    databaseUrl: config.BOOK_DATABASE_URL,
    migrationsDir: projectFile('prisma/book/migrations'),
    allowIncompatible: config.ALLOW_INCOMPATIBLE_MIGRATIONS,
    log: logger,
  });
  const database = openDatabase(config.BOOK_DATABASE_URL, logger);
  const probe = postgresProbe(config.BOOK_DATABASE_URL);
  const transport = openTransport(config, logger, metrics);
  const relay = startRelay({
    pool: database.workers,
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

  const inquiries = sagaInquiries(
    { payment: config.PAYMENT_URL, space: config.SPACE_URL },
    authorize,
  );
  bookingMetrics(database.workers, metrics);

  const stored = storedNotifications();
  const portsOn = (pool: Pool): BookPorts => {
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
    return {
      bookings: prismaBookingStore(prisma, pool, relay),
      catalogue: prismaCatalogue(prisma, pool, stored),
      search: bookingSearch(pool),
      overdue: overdueBookings(pool),
      inquiries,
      payments,
      clock: () => new Date(),
      newId: uuidv7,
      correlationId,
      resume: ({ state }, work) => withCorrelation(state.correlationId, work),
      holdSeconds: config.HOLD_SECONDS,
      maxUnpaidHolds: config.MAX_UNPAID_HOLDS,
      deferredPerSecond: config.DEFERRED_PAYMENTS_PER_SECOND,
      log: (message, facts) => logger.info(facts, message),
    };
  };
  const workerPorts = portsOn(database.workers);

  const consumer = openConsumer({
    name: 'book',
    transport,
    inbox: postgresInbox(database.workers),
    deadLetters: postgresDeadLetters(database.workers),
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'book',
    config,
    schemaFile: projectFile('subgraphs/book/schema.graphql'),
    resolvers: [
      resolvers(portsOn(database.requests)),
      deadLetterResolvers('Book', postgresDeadLetters(database.requests), consumer, logger),
      auditResolvers('Book', postgresAuditLog(database.requests)),
      erasureResolvers('Book', bookErasure(database.requests)),
      erasureStart(database.requests),
    ],
    context: (base) => base,
    inbox: postgresInbox(database.requests),
    events: storedEvents(database.requests),
    health: { ready: () => probe.check(), draining },
    metrics,
    logger,
  });
  await consumeEvents(consumer, workerPorts, logger);
  const stopSweeper = repeat(logger, 'asking for unpaid bookings', RETRY_PERIOD_MS, () =>
    retryDuePayments(workerPorts),
  );
  const stopChecking = repeat(logger, 'checking overdue bookings', CHECK_PERIOD_MS, () =>
    checkOverdue(workerPorts),
  );
  const records = contextRecordsClient(
    { payment: config.PAYMENT_URL, space: config.SPACE_URL, mypage: config.MYPAGE_URL },
    storedEvents(database.workers),
    authorize,
    config.RECONCILIATION_DELAY_SECONDS * 1_000,
  );
  const stopReconciliation = startReconciliation({
    store: postgresReconciliationStore(database.workers, config.RECONCILIATION_SECONDS),
    records,
    metrics,
    logger,
  });
  const stopArchiving = startArchiving({
    pool: database.workers,
    keepHours: config.OUTBOX_KEEP_HOURS,
    logger,
  });
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'book is ready');

  // Consumers and sweepers first: no work begins in a process that is about to end, and others
  // or the next one take it over. The relay goes on: it sends what requests still commit.
  onDrain('archiving', stopArchiving);
  onDrain('sweeper', stopSweeper);
  onDrain('checks of overdue bookings', stopChecking);
  onDrain('reconciliation', stopReconciliation);
  onDrain('queue workers', () => transport.stopReceiving());
  onDrained('requests', () => server.close());
  onStop('relay', () => relay.stop());
  onStop('queue', () => transport.close());
  onStop('payment client', () => payments.close());
  onStop('inquiries', () => inquiries.close());
  onStop('records of the other contexts', () => records.close());
  onStop('database', () => Promise.all([probe.close(), database.close()]));
});
