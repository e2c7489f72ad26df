import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { Pool } from '#platform/database/postgres.ts';
import { withStatementSpans } from '#platform/database/statement-spans.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import { runPublishingContext } from '#platform/lifecycle/publishing-context.ts';
import { serveBookingRecords } from '#platform/operator/booking-records.ts';
import { postgresErasure } from '#platform/operator/erasure.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { registeredBookingIds, registrationRecords } from './adapters/booking-records.ts';
import { consumeEvents } from './adapters/event-consumers.ts';
import { removeEndedSlots } from './adapters/occupied-slots.ts';
import { prismaRegistrationStore } from './adapters/prisma-registration-store.ts';
import { prismaSpaceStore } from './adapters/prisma-space-store.ts';
import { resolvers } from './adapters/resolvers.ts';
import { spaceConfig } from './config.ts';
import type { SpacePorts } from './ports.ts';

// A week after a slot's end no more events about it are expected.
const ENDED_SLOTS_KEEP_HOURS = 168;
const REMOVE_ENDED_MS = 10_000;
const REMOVE_BATCH_SIZE = 1_000;

const space = {
  name: 'space',
  title: 'Space',
  configure: spaceConfig,
  databaseUrl: ({ SPACE_DATABASE_URL }: ReturnType<typeof spaceConfig>) => SPACE_DATABASE_URL,
} as const;

await runPublishingContext(space, ({ logger, database: { requests, workers }, relay }) => {
  const portsOn = (pool: Pool): SpacePorts => {
    const prisma = new PrismaClient({
      adapter: withStatementSpans(new PrismaPg(pool), 'postgresql'),
    });
    return {
      spaces: prismaSpaceStore(prisma, pool, relay),
      registrations: prismaRegistrationStore(prisma, pool, relay),
      clock: () => new Date(),
      newId: uuidv7,
      log: (message, fields) => logger.info(fields, message),
    };
  };

  return {
    resolvers: [resolvers(portsOn(requests))],
    erasure: postgresErasure(requests, []),
    serve: (app) =>
      serveBookingRecords(app, registrationRecords(requests), registeredBookingIds(requests)),
    consume: (consumer) => consumeEvents(consumer, portsOn(workers)),
    startJobs: () => ({
      'removal of slots that ended': repeat(
        logger,
        'removing slots that ended',
        REMOVE_ENDED_MS,
        () => removeEndedSlots(workers, ENDED_SLOTS_KEEP_HOURS, REMOVE_BATCH_SIZE),
      ),
    }),
  };
});
