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
import { createMetrics } from '#platform/observability/metrics.ts';
import { postgresAuditLog } from '#platform/operator/audit.ts';
import { auditResolvers } from '#platform/operator/audit-resolvers.ts';
import { serveBookingRecords } from '#platform/operator/booking-records.ts';
import { deadLetterResolvers } from '#platform/operator/dead-letter-resolvers.ts';
import { postgresErasure } from '#platform/operator/erasure.ts';
import { erasureResolvers } from '#platform/operator/erasure-resolvers.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { registrationRecords } from './adapters/booking-records.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { removeEndedSlots } from './adapters/occupied-slots.ts';
import { prismaRegistrationStore } from './adapters/prisma-registration-store.ts';
import { prismaSpaceStore } from './adapters/prisma-space-store.ts';
import { resolvers } from './adapters/resolvers.ts';
import { spaceConfig } from './config.ts';
import type { SpacePorts } from './ports.ts';

// Long after the last event about a slot that ended is expected.
const ENDED_SLOTS_KEEP_HOURS = 168;
const REMOVE_ENDED_MS = 10_000;
const REMOVE_BATCH_SIZE = 1_000;

await runService('space', spaceConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const { onDrain, onDrained, onStop } = lifecycle;
  const authorize = internalAuthorization('space', config.INTERNAL_TOKEN_KEYS);
  const metrics = createMetrics('space');
  await applyMigrations({
    databaseUrl: config.SPACE_DATABASE_URL,
    migrationsDir: projectFile('prisma/space/migrations'),
    allowIncompatible: config.ALLOW_INCOMPATIBLE_MIGRATIONS,
    log: logger,
  });
  const database = openDatabase(config.SPACE_DATABASE_URL, logger);
  const probe = postgresProbe(config.SPACE_DATABASE_URL);
  const transport = openTransport(config, logger, metrics);
  const relay = startRelay({
    pool: database.workers,
    transport,
    authorize,
    inboxUrls: peerUrls(config),
    publisher: 'space',
    metrics,
    logger,
  });

  const portsOn = (pool: Pool): SpacePorts => {
    const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
    return {
      spaces: prismaSpaceStore(prisma, pool, relay),
      registrations: prismaRegistrationStore(prisma, pool, relay),
      clock: () => new Date(),
      newId: uuidv7,
      log: (message, facts) => logger.info(facts, message),
    };
  };

  const consumer = openConsumer({
    name: 'space',
    transport,
    inbox: postgresInbox(database.workers),
    deadLetters: postgresDeadLetters(database.workers),
    parkAfter: config.PARK_AFTER_FAILURES,
    metrics,
    logger,
  });
  const server = await createSubgraph({
    name: 'space',
    config,
    schemaFile: projectFile('subgraphs/space/schema.graphql'),
    resolvers: [
      resolvers(portsOn(database.requests)),
      deadLetterResolvers('Space', postgresDeadLetters(database.requests), consumer, logger),
      auditResolvers('Space', postgresAuditLog(database.requests)),
      erasureResolvers('Space', postgresErasure(database.requests, [])),
    ],
    context: (base) => base,
    inbox: postgresInbox(database.requests),
    events: storedEvents(database.requests),
    serve: (app) => serveBookingRecords(app, registrationRecords(database.requests)),
    health: { ready: () => probe.check(), draining },
    metrics,
    logger,
  });
  await consumeEvents(consumer, portsOn(database.workers));
  const stopArchiving = startArchiving({
    pool: database.workers,
    keepHours: config.OUTBOX_KEEP_HOURS,
    logger,
  });
  const stopRemoving = repeat(logger, 'removing slots that ended', REMOVE_ENDED_MS, () =>
    removeEndedSlots(database.workers, ENDED_SLOTS_KEEP_HOURS, REMOVE_BATCH_SIZE),
  );
  await server.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'space is ready');

  // Consumers and sweepers first: no work begins in a process that is about to end, and others
  // or the next one take it over. The relay goes on: it sends what requests still commit.
  onDrain('archiving', stopArchiving);
  onDrain('removal of slots that ended', stopRemoving);
  onDrain('queue workers', () => transport.stopReceiving());
  onDrained('requests', () => server.close());
  onStop('relay', () => relay.stop());
  onStop('queue', () => transport.close());
  onStop('database', () => Promise.all([probe.close(), database.close()]));
});
