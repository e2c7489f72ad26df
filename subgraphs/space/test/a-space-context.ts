import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import type { EventRecord } from '#platform/messaging/events.ts';
import { PrismaClient } from '#prisma/space/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { prismaRegistrationStore } from '../src/adapters/prisma-registration-store.ts';
import { prismaSpaceStore } from '../src/adapters/prisma-space-store.ts';
import { listSpace } from '../src/application/list-space.ts';
import type { Space } from '../src/domain/space.ts';
import type { SpaceListing } from '../src/domain/space-listing.ts';
import type { SpacePorts } from '../src/ports.ts';

export interface SpaceContext {
  database: TestDatabase;
  ports: SpacePorts;
  published: EventRecord[];
  list(changes?: Partial<SpaceListing>): Promise<Space>;
  stop(): Promise<void>;
}

/** Space's stores on a database of their own. Published events are collected, not sent. */
export async function openSpaceContext(): Promise<SpaceContext> {
  const database = await createDatabase('space');
  const prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  const published: EventRecord[] = [];
  const relay = { publish: (events: readonly EventRecord[]) => void published.push(...events) };
  const ports: SpacePorts = {
    spaces: prismaSpaceStore(prisma, database.pool, relay),
    registrations: prismaRegistrationStore(prisma, database.pool, relay),
    clock: () => new Date(),
    newId: uuidv7,
    log: () => {},
  };
  return {
    database,
    ports,
    published,
    async list(changes = {}) {
      const defaults = { name: 'Loft', description: '', address: '', timeZone: 'Asia/Seoul' };
      const listing = { ...defaults, capacity: 10, hourlyRate: 30_000, currency: 'KRW' as const };
      const by = { userId: 'hana', role: 'host' } as const;
      const space = await listSpace(ports, by, { ...listing, ...changes });
      if ('type' in space) throw new Error(space.message);
      return space;
    },
    async stop() {
      await prisma.$disconnect();
      await database.drop();
    },
  };
}
