import type { Erasure } from '#platform/operator/erasure.ts';
import { NotErasable } from '#platform/operator/erasure-resolvers.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { ViewGenerations } from '../ports.ts';

const BATCH_SIZE = 500;

/** Erases a customer's id in all generations of the views, in their versions and in dead letters. */
export function viewErasure(
  prisma: PrismaClient,
  generations: Pick<ViewGenerations, 'latest'>,
): Erasure {
  return {
    async erase({ customerId, pseudonym, after }) {
      const rebuild = await generations.latest();
      // The rebuild may have read events already that name the customer.
      if (rebuild && !rebuild.finishedAt) {
        throw new NotErasable('Mypage is being rebuilt: try again when that has ended.');
      }
      // The note is the customer's own words.
      const data = { customerId: pseudonym, note: null };
      const views = await prisma.bookingStatusView.updateMany({ where: { customerId }, data });
      const versions = await prisma.viewVersion.updateMany({ where: { customerId }, data });
      const letters = await prisma.deadLetter.findMany({
        where: after ? { eventId: { gt: after } } : {},
        orderBy: { eventId: 'asc' },
        take: BATCH_SIZE,
      });
      let replaced = views.count + versions.count;
      for (const { eventId, event } of letters) {
        const { payload, ...rest } = event as { payload?: { customerId?: unknown } };
        if (payload?.customerId !== customerId) continue;
        const erased = {
          ...rest,
          payload: {
            ...payload,
            customerId: pseudonym,
            ...('note' in payload && { note: null }),
          },
        };
        await prisma.deadLetter.update({
          where: { eventId },
          data: { event: erased as Prisma.InputJsonObject },
        });
        replaced += 1;
      }
      const last = letters.at(-1);
      return { replaced, next: letters.length === BATCH_SIZE && last ? last.eventId : null };
    },
  };
}
