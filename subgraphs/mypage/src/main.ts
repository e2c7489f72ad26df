import { setTimeout as wait } from 'node:timers/promises';
import { VIEW_NOTIFICATIONS_CHANNEL } from '#contracts/mypage.ts';
import { internalAuthorization } from '#platform/auth/internal-tokens.ts';
import { projectFile } from '#platform/config/project.ts';
import { applyMigrations } from '#platform/database/migrate.ts';
import { createSubgraph } from '#platform/graphql/subgraph-server.ts';
import { runService } from '#platform/lifecycle/lifecycle.ts';
import { openConsumer } from '#platform/messaging/consumer.ts';
import { openPublisher } from '#platform/messaging/notifications.ts';
import { openTransport } from '#platform/messaging/queue.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { serveBookingRecords } from '#platform/operator/booking-records.ts';
import { deadLetterResolvers } from '#platform/operator/dead-letter-resolvers.ts';
import { erasureResolvers } from '#platform/operator/erasure-resolvers.ts';
import { viewRecords } from './adapters/booking-records.ts';
import { viewErasure } from './adapters/customer-erasure.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { prismaDeadLetters } from './adapters/prisma-dead-letters.ts';
import { prismaViewGenerations } from './adapters/prisma-view-generations.ts';
import { prismaViewStore } from './adapters/prisma-view-store.ts';
import { prismaViewVersions, startDeletingVersions } from './adapters/prisma-view-versions.ts';
import { resolvers } from './adapters/resolvers.ts';
import { retiredGenerations, startDeletingGenerations } from './adapters/retired-generations.ts';
import { storedEventsClient } from './adapters/stored-events-client.ts';
import { openViewPools, viewProbe } from './adapters/view-database.ts';
import { notifySubscribers, serveViewVersions } from './adapters/view-notifications.ts';
import { isOutage } from './adapters/view-projection.ts';
import { batchProjector } from './application/batch-projector.ts';
import { rebuilder } from './application/rebuild-views.ts';
import { mypageConfig } from './config.ts';

await runService('mypage', mypageConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const { onDrain, onDrained, onStop } = lifecycle;
  const authorize = internalAuthorization('mypage', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('mypage');
  const url = config.MYPAGE_DATABASE_URL;
  const engine = url.startsWith('file:') ? 'sqlite' : 'mysql';
  await applyMigrations({
    databaseUrl: url,
    migrationsDir: projectFile(`prisma/mypage/migrations/${engine}`),
    allowIncompatible: config.ALLOW_INCOMPATIBLE_MIGRATIONS,
    log: logger,
  });
  const database = await openViewPools(url);
  const probe = viewProbe(url);
  const transport = openTransport(config, logger, metrics);
  const views = prismaViewStore(database.requests);
  const projectedViews = prismaViewStore(database.workers);
  const keepMinutes = config.VIEW_VERSIONS_KEEP_MINUTES;
  const publisher = openPublisher(config, VIEW_NOTIFICATIONS_CHANNEL, logger, metrics);
  const generations = prismaViewGenerations(database.workers);
  const events = storedEventsClient(
    { book: config.BOOK_URL, payment: config.PAYMENT_URL, space: config.SPACE_URL },
    authorize,
    logger,
  );
  const rebuilds = rebuilder({
    generations,
    events,
    clock: () => new Date(),
    pause: wait,
    log: (message, fields) => logger.info(fields, message),
  });

  const consumer = openConsumer({
    name: 'mypage',
    transport,
    inbox: projectedViews,
    deadLetters: prismaDeadLetters(database.workers),
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'mypage',
    config,
    schemaFile: projectFile('subgraphs/mypage/schema.graphql'),
    resolvers: [
      resolvers(views, rebuilds, generations),
      deadLetterResolvers('MyPage', prismaDeadLetters(database.requests), consumer, logger),
      erasureResolvers('MyPage', viewErasure(database.requests, generations)),
    ],
    context: (base) => base,
    inbox: views,
    serve(app) {
      serveViewVersions(app, prismaViewVersions(database.requests, keepMinutes));
      serveBookingRecords(app, viewRecords(database.requests));
    },
    health: { ready: () => probe.check(), draining },
    metrics,
    logger,
  });
  const projector = batchProjector(projectedViews, notifySubscribers(publisher), isOutage);
  await consumeEvents(consumer, projector, logger);
  const stopDeletingVersions = startDeletingVersions(
    prismaViewVersions(database.workers, keepMinutes),
    logger,
  );
  const stopDeletingGenerations = startDeletingGenerations(
    retiredGenerations(database.workers),
    logger,
  );
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'mypage is ready');

  // Consumers and jobs stop first: other processes or the next one do their work.
  onDrain('rebuild', () => rebuilds.stop());
  onDrain('deletion of old versions', stopDeletingVersions);
  onDrain('deletion of retired generations', stopDeletingGenerations);
  onDrain('queue workers', () => transport.stopReceiving());
  onDrained('requests', () => server.close());
  onStop('queue', () => transport.close());
  onStop('notifications', () => publisher.close());
  onStop('stored events', () => events.close());
  onStop('database', () => Promise.all([probe.close(), database.close()]));
});
