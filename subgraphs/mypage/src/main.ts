import { openConsumer } from '#platform/consume.ts';
import { deadLetterResolvers } from '#platform/dead-letter-resolvers.ts';
import { runService } from '#platform/lifecycle.ts';
import { createMetrics } from '#platform/metrics.ts';
import { applyMigrations } from '#platform/migrate.ts';
import { projectFile } from '#platform/project.ts';
import { openTransport } from '#platform/queue.ts';
import { createSubgraph } from '#platform/server.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { prismaDeadLetters } from './adapters/prisma-dead-letters.ts';
import { prismaViewStore } from './adapters/prisma-view-store.ts';
import { resolvers } from './adapters/resolvers.ts';
import { openViewDatabase } from './adapters/view-database.ts';
import { batchProjector } from './application/batch-projector.ts';
import { mypageConfig } from './config.ts';

await runService('mypage', mypageConfig, async ({ config, logger, onStop }) => {
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
    schemaFile: projectFile('subgraphs/mypage/schema.graphql'),
    resolvers: [resolvers(views), deadLetterResolvers('MyPage', deadLetters, consumer)],
    context: (base) => base,
    inbox: views,
    ready: () => Promise.all([prisma.$queryRaw`SELECT 1`, transport.ping()]),
    metrics,
    logger,
  });
  await consumeEvents(consumer, batchProjector(views), logger);
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'mypage is ready');

  onStop('requests', () => server.close());
  onStop('queue workers', () => transport.stopReceiving());
  onStop('queue', () => transport.close());
  onStop('database', () => prisma.$disconnect());
});
