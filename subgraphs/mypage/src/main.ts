import { setTimeout as wait } from 'node:timers/promises';
import { VIEW_NOTICES_CHANNEL } from '#contracts/mypage.ts';
import { openConsumer } from '#platform/consume.ts';
import { deadLetterResolvers } from '#platform/dead-letter-resolvers.ts';
import { erasureResolvers } from '#platform/erasure-resolvers.ts';
import { internalAuthorization } from '#platform/internal-tokens.ts';
import { runService } from '#platform/lifecycle.ts';
import { createMetrics } from '#platform/metrics.ts';
import { applyMigrations } from '#platform/migrate.ts';
import { openAnnouncer } from '#platform/notices.ts';
import { projectFile } from '#platform/project.ts';
import { openTransport } from '#platform/queue.ts';
import { createSubgraph } from '#platform/server.ts';
import { viewErasure } from './adapters/customer-erasure.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { prismaDeadLetters } from './adapters/prisma-dead-letters.ts';
import { prismaViewGenerations, startTidying } from './adapters/prisma-view-generations.ts';
import { prismaViewStore } from './adapters/prisma-view-store.ts';
import { prismaViewVersions, startPruning } from './adapters/prisma-view-versions.ts';
import { resolvers } from './adapters/resolvers.ts';
import { storedEventsClient } from './adapters/stored-events-client.ts';
import { openViewDatabase } from './adapters/view-database.ts';
import { announceViews, serveViewVersions } from './adapters/view-notices.ts';
import { batchProjector } from './application/batch-projector.ts';
import { rebuilder } from './application/rebuild-views.ts';
import { mypageConfig } from './config.ts';

await runService('mypage', mypageConfig, async ({ config, logger, onStop }) => {
  const authorize = internalAuthorization('mypage', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('mypage');
  const url = config.MYPAGE_DATABASE_URL;
  const engine = url.startsWith('file:') ? 'sqlite' : 'mysql';
  await applyMigrations({
    databaseUrl: url,
    migrationsDir: projectFile(`prisma/mypage/migrations/${engine}`),
    log: logger,
  });
  const prisma = await openViewDatabase(url);
  const transport = await openTransport(config, logger);
  const views = prismaViewStore(prisma);
  const versions = prismaViewVersions(prisma, config.VIEW_VERSIONS_KEEP_MINUTES);
  const announcer = openAnnouncer(config, VIEW_NOTICES_CHANNEL, logger);
  const generations = prismaViewGenerations(prisma);
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
    log: (message, facts) => logger.info(facts, message),
  });

  const deadLetters = prismaDeadLetters(prisma);
  const consumer = openConsumer({
    name: 'mypage',
    transport,
    inbox: views,
    deadLetters,
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
      deadLetterResolvers('MyPage', deadLetters, consumer, logger),
      erasureResolvers('MyPage', viewErasure(prisma, generations)),
    ],
    context: (base) => base,
    inbox: views,
    serve: (app) => serveViewVersions(app, versions),
    ready: () => Promise.all([prisma.$queryRaw`SELECT 1`, transport.ping()]),
    metrics,
    logger,
  });
  await consumeEvents(consumer, batchProjector(views, announceViews(announcer)), logger);
  const stopPruning = startPruning(versions, logger);
  const stopTidying = startTidying(generations, logger);
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'mypage is ready');

  onStop('requests', () => server.close());
  onStop('rebuild', () => rebuilds.stop());
  onStop('old versions', stopPruning);
  onStop('old generations', stopTidying);
  onStop('queue workers', () => transport.stopReceiving());
  onStop('queue', () => transport.close());
  onStop('notices', () => announcer.close());
  onStop('stored events', () => events.close());
  onStop('database', () => prisma.$disconnect());
});
