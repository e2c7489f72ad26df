import { batched } from '#platform/database/batched.ts';
import { type Pool, statement } from '#platform/database/postgres.ts';
import type { PrismaClient } from '#prisma/book/generated/client.ts';
import type { CatalogueSpaceUncheckedCreateInput } from '#prisma/book/generated/models/CatalogueSpace.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type { Catalogue } from '../ports.ts';
import { type StoredNotifications, storedNotifications } from './stored-notifications.ts';

// Every request for a booking begins with it; a page of spaces reads all of them in one tick.
const byIds = statement<CatalogueSpace>(
  'catalogue-by-ids',
  `SELECT id, host_id AS "hostId", name, time_zone AS "timeZone", capacity,
          hourly_rate AS "hourlyRate", currency, opening_hours AS "openingHours",
          opening_exceptions AS "openingExceptions", refund_tiers AS "refundTiers", state,
          booking_mode AS "bookingMode", booking_rules AS "bookingRules", price_rules AS "priceRules",
          coalesce(included_headcount, capacity) AS "includedHeadcount",
          extra_person_hourly_rate AS "extraPersonHourlyRate", add_ons AS "addOns",
          holiday_country AS "holidayCountry", vat_percent AS "vatPercent", version
     FROM catalogue_space WHERE id = ANY($1::uuid[])`,
);

/**
 * Book's copy of the space catalogue, kept by the events of the space context. All catalogues of a
 * process share `stored`: one stores what requests on another pool wait for.
 */
export function prismaCatalogue(
  prisma: PrismaClient,
  pool: Pool,
  stored: StoredNotifications = storedNotifications(),
): Catalogue {
  const find = batched(async (ids: readonly string[]) => {
    const found = new Map((await byIds(pool, [...new Set(ids)])).map((space) => [space.id, space]));
    return ids.map((id) => found.get(id.toLowerCase()) ?? null);
  });
  return {
    whenStored: stored.wait,
    find,
    async store(space, eventId) {
      // Prisma's type of JSON columns knows no interfaces and no readonly lists.
      const data = space as unknown as CatalogueSpaceUncheckedCreateInput;
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
