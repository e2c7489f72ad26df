import { defaultTerms, spaceEvents } from '#contracts/space.ts';
import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { newEvent } from '#platform/messaging/events.ts';
import { insertOutbox } from '#platform/messaging/outbox.ts';
import type { Relay } from '#platform/messaging/relay.ts';
import { insertAuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import type { PrismaClient } from '#prisma/space/generated/client.ts';
import type { Space } from '../domain/space.ts';
import type { SpaceStore } from '../ports.ts';
import { storeOccupancy } from './occupied-slots.ts';
import { findSpaceIds } from './space-search.ts';

const insertSpace = namedStatement<Record<string, never>, keyof Space | 'events' | 'auditEntry'>(
  'space-list',
  `WITH listed AS (
     INSERT INTO space (id, host_id, name, description, address, time_zone, capacity, hourly_rate,
            currency, opening_hours, refund_tiers, version, listed_at)
     VALUES (:id::uuid, :hostId, :name, :description, :address, :timeZone, :capacity, :hourlyRate,
            :currency::currency, :openingHours::jsonb, :refundTiers::jsonb, :version, :listedAt)
  RETURNING id),
   published AS (${insertOutbox(':events', 'EXISTS (SELECT FROM listed)')})
   ${insertAuditEntry(':auditEntry', 'EXISTS (SELECT FROM listed)')}`,
);

/** The catalogue in PostgreSQL; tables and constraints are Prisma's migrations in prisma/space. */
export function prismaSpaceStore(
  prisma: PrismaClient,
  pool: Pool,
  relay: Pick<Relay, 'publish'>,
): SpaceStore {
  return {
    // Prisma batches the look-ups of one tick: a list of spaces costs one query.
    find: async (id) => (await prisma.space.findUnique({ where: { id } })) as Space | null,

    async search(search, limit, after) {
      const ids = await findSpaceIds(pool, search, limit, after);
      const spaces = await prisma.space.findMany({
        where: { id: { in: ids } },
        orderBy: { id: 'asc' },
      });
      return spaces as unknown as Space[];
    },

    async list(space, by) {
      const event = newEvent('SpaceListed', spaceEvents.SpaceListed, {
        aggregateId: space.id,
        version: space.version,
        occurredAt: space.listedAt,
        payload: {
          spaceId: space.id,
          hostId: space.hostId,
          name: space.name,
          timeZone: space.timeZone,
          capacity: space.capacity,
          hourlyRate: space.hourlyRate,
          currency: space.currency,
          openingHours: space.openingHours.map((entry) => ({ ...entry })),
          refundTiers: space.refundTiers.map((tier) => ({ ...tier })),
          ...defaultTerms(space.capacity),
        },
      });
      const { name, hourlyRate, currency } = space;
      const auditEntry = newAuditEntry({
        userId: by.userId,
        actedAs: by.role,
        action: 'listSpace',
        subjectType: 'space',
        subjectId: space.id,
        details: { name, hourlyRate: { amount: hourlyRate, currency } },
      });
      const { id, hostId, description, address, timeZone, capacity, version, listedAt } = space;
      await insertSpace(pool, {
        ...{ id, hostId, name, description, address, timeZone, capacity, hourlyRate, currency },
        openingHours: JSON.stringify(event.payload.openingHours),
        refundTiers: JSON.stringify(event.payload.refundTiers),
        ...{ version, listedAt },
        events: JSON.stringify([event]),
        auditEntry: JSON.stringify(auditEntry),
      });
      relay.publish([event]);
    },

    storeOccupancy: (booking, eventId) => storeOccupancy(pool, booking, eventId),
  };
}
