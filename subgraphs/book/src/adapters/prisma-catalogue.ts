import type { PrismaClient } from '#prisma/book/generated/client.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type { Catalogue } from '../ports.ts';

/** Book's copy of the space catalogue, kept by the events of the space context. */
export function prismaCatalogue(prisma: PrismaClient): Catalogue {
  return {
    find: async (id) =>
      (await prisma.catalogueSpace.findUnique({ where: { id } })) as CatalogueSpace | null,
    async store(space, eventId) {
      const data = {
        ...space,
        openingHours: space.openingHours.map((entry) => ({ ...entry })),
        refundTiers: space.refundTiers.map((tier) => ({ ...tier })),
      };
      await prisma.$transaction([
        prisma.inboxEvent.createMany({ data: { eventId }, skipDuplicates: true }),
        prisma.catalogueSpace.createMany({ data, skipDuplicates: true }),
        prisma.catalogueSpace.updateMany({
          where: { id: space.id, version: { lt: space.version } },
          data,
        }),
      ]);
    },
  };
}
