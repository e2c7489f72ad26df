import { type Pool, statement } from '#platform/postgres.ts';
import type { PrismaClient } from '#prisma/book/generated/client.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type { Catalogue } from '../ports.ts';
import { storedNotifications } from './stored-notifications.ts';

const MAX_WAITING = 100;

// Every request for a booking begins with it.
const byId = statement<CatalogueSpace>(
  'catalogue-by-id',
  `SELECT id, host_id AS "hostId", name, time_zone AS "timeZone", capacity,
          hourly_rate AS "hourlyRate", currency, opening_hours AS "openingHours",
          refund_tiers AS "refundTiers", version
     FROM catalogue_space WHERE id = $1::uuid`,
);

/** Book's copy of the space catalogue, kept by the events of the space context. */
export function prismaCatalogue(prisma: PrismaClient, pool: Pool): Catalogue {
  const stored = storedNotifications(MAX_WAITING);
  return {
    whenStored: stored.wait,
    find: async (id) => (await byId(pool, id))[0] ?? null,
    async store(space, eventId) {
      const data = {
        ...space,
        openingHours: space.openingHours.map((entry) => ({ ...entry })),
        refundTiers: space.refundTiers.map((tier) => ({ ...tier })),
      };
      await prisma.$transaction([
        prisma.inboxEvent.createMany({ data: { eventId }, skipDuplicates: true }),
        prisma.deadLetter.deleteMany({ where: { eventId, state: 'FAILING' } }),
        prisma.catalogueSpace.createMany({ data, skipDuplicates: true }),
        prisma.catalogueSpace.updateMany({
          where: { id: space.id, version: { lt: space.version } },
          data,
        }),
      ]);
      stored.notify(space.id);
    },
  };
}
