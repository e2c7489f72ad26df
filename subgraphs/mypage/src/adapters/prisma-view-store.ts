import type { Inbox } from '#platform/inbox.ts';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { ViewStore } from '../ports.ts';
import { liveGeneration, writtenGenerations } from './prisma-view-generations.ts';
import { inViewTransaction, projectInto } from './view-projection.ts';
import { timelinesOf } from './whole-views.ts';

/** For how long a process may go on reading the generation that was the live one. */
const KNOWN_MS = 1_000;

/** The read model on SQLite or MariaDB; tables are Prisma's migrations in prisma/mypage. */
export function prismaViewStore(prisma: PrismaClient): ViewStore & Inbox {
  const live = remembered(() => liveGeneration(prisma));

  return {
    async project(events) {
      await inViewTransaction(prisma, async (tx) => {
        // Inside the transaction: a rebuild relies on what is committed after its generation was
        // added being written to it.
        for (const generation of await writtenGenerations(tx)) {
          await projectInto(tx, generation, events);
        }
      });
    },

    async list(customerId, { limit, after, statuses }) {
      const startAt = after && new Date(after.startAt);
      return prisma.bookingStatusView.findMany({
        where: {
          generation: await live(),
          customerId,
          ...(statuses && { status: { in: [...statuses] } }),
          ...(after &&
            startAt && {
              OR: [{ startAt: { lt: startAt } }, { startAt, bookingId: { lt: after.bookingId } }],
            }),
        },
        omit: { generation: true },
        orderBy: [{ startAt: 'desc' }, { bookingId: 'desc' }],
        take: limit,
      });
    },

    find: async (customerId, bookingId) =>
      prisma.bookingStatusView.findFirst({
        where: { generation: await live(), bookingId, customerId },
        omit: { generation: true },
      }),

    async timelines(bookingIds) {
      const changes = await prisma.statusChange.findMany({
        where: { generation: await live(), bookingId: { in: [...bookingIds] } },
        omit: { generation: true },
        orderBy: { bookingVersion: 'asc' },
      });
      return timelinesOf(bookingIds, changes);
    },

    async held(ids) {
      const rows = await prisma.inboxEvent.findMany({
        where: { generation: await live(), eventId: { in: [...ids] } },
        select: { eventId: true },
      });
      return rows.map((row) => row.eventId);
    },
  };
}

/** Asks once for all who want to know within {@link KNOWN_MS} of asking. */
function remembered<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (!answer || performance.now() - askedAt > KNOWN_MS) {
      askedAt = performance.now();
      const asked = ask();
      answer = asked;
      asked.catch(() => {
        if (answer === asked) answer = undefined;
      });
    }
    return answer;
  };
}
