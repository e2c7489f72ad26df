import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { spaceEvents } from '#contracts/space.ts';
import { startArchiving } from '#platform/archive.ts';
import { postgresAuditLog } from '#platform/audit.ts';
import { auditResolvers } from '#platform/audit-resolvers.ts';
import { openConsumer } from '#platform/consume.ts';
import { deadLetterResolvers } from '#platform/dead-letter-resolvers.ts';
import { postgresDeadLetters } from '#platform/dead-letters.ts';
import { postgresErasure } from '#platform/erasure.ts';
import { erasureResolvers } from '#platform/erasure-resolvers.ts';
import { postgresInbox } from '#platform/inbox.ts';
import { internalAuthorization } from '#platform/internal-tokens.ts';
import { runService } from '#platform/lifecycle.ts';
import { createMetrics } from '#platform/metrics.ts';
import { applyMigrations } from '#platform/migrate.ts';
import { openPostgres } from '#platform/postgres.ts';
import { projectFile } from '#platform/project.ts';
import { openTransport } from '#platform/queue.ts';
import { startRelay } from '#platform/relay.ts';
import { createSubgraph } from '#platform/server.ts';
import { storedEvents } from '#platform/stored-events.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { prismaRegistrationStore } from './adapters/prisma-registration-store.ts';
import { prismaSpaceStore } from './adapters/prisma-space-store.ts';
import { resolvers } from './adapters/resolvers.ts';
import { spaceConfig } from './config.ts';
import type { SpacePorts } from './ports.ts';

await runService('space', spaceConfig, async ({ config, logger, onStop }) => {
  const authorize = internalAuthorization('space', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('space');
  await applyMigrations({
    databaseUrl: config.SPACE_DATABASE_URL,
    migrationsDir: projectFile('prisma/space/migrations'),
    log: logger,
  });
  const pool = openPostgres(config.SPACE_DATABASE_URL, logger);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const transport = await openTransport(config, logger);
  const relay = startRelay({
    pool,
    transport,
    authorize,
    inboxUrls: { book: config.BOOK_URL, mypage: config.MYPAGE_URL },
    contracts: spaceEvents,
    metrics,
    logger,
  });

  const ports: SpacePorts = {
    spaces: prismaSpaceStore(prisma, pool, relay),
    registrations: prismaRegistrationStore(prisma, pool, relay),
    clock: () => new Date(),
    newId: uuidv7,
    log: (message, facts) => logger.info(facts, message),
  };

  const inbox = postgresInbox(pool);
  const deadLetters = postgresDeadLetters(pool);
  const consumer = openConsumer({
    name: 'space',
    transport,
    inbox,
    deadLetters,
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'space',
    config,
    schemaFile: projectFile('subgraphs/space/schema.graphql'),
    resolvers: [
      resolvers(ports),
      deadLetterResolvers('Space', deadLetters, consumer, logger),
      auditResolvers('Space', postgresAuditLog(pool)),
      erasureResolvers('Space', postgresErasure(pool, [])),
    ],
    context: (base) => base,
    inbox,
    events: storedEvents(pool),
    ready: () => Promise.all([pool.query('SELECT 1'), transport.ping()]),
    metrics,
    logger,
  });
  await consumeEvents(consumer, ports);
  const stopArchiving = startArchiving({ pool, keepHours: config.OUTBOX_KEEP_HOURS, logger });
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'space is ready');

  onStop('requests', () => server.close());
  onStop('archiving', stopArchiving);
  onStop('queue workers', () => transport.stopReceiving());
  onStop('relay', () => relay.stop());
  onStop('queue', () => transport.close());
  onStop('database', async () => {
    await prisma.$disconnect();
    await pool.end();
  });
});
