import type { Inbox } from '#platform/messaging/inbox.ts';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { BookingStatusView } from '../booking-status-view.ts';
import type { ViewStore } from '../ports.ts';
import { liveGenerationReader, writtenGenerations } from './live-generation.ts';
import { inViewTransaction, projectInto } from './view-projection.ts';
import { groupTimelines } from './views-with-timelines.ts';

/** The read model on SQLite or MariaDB; tables are Prisma's migrations in prisma/mypage. */
export function prismaViewStore(prisma: PrismaClient): ViewStore & Inbox {
  const live = liveGenerationReader(prisma);

  return {
    async project(events) {
      return inViewTransaction(prisma, async (tx) => {
        let liveVersions: BookingStatusView[] = [];
        // Read inside the transaction: whatever commits after a rebuild has added its generation must be
        // written to it.
        for (const { generation, isLive } of await writtenGenerations(tx)) {
          const versions = await projectInto(tx, generation, events, {
            keepVersions: true,
            clearFailures: isLive,
          });
          if (isLive) liveVersions = versions;
        }
        return liveVersions;
      });
    },

    async list(customerId, { limit, after, statuses }) {
      const startAt = after?.startAt;
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
      return groupTimelines(bookingIds, changes);
    },

    async findRecorded(ids) {
      const rows = await prisma.inboxEvent.findMany({
        where: { generation: await live(), eventId: { in: [...ids] } },
        select: { eventId: true },
      });
      return rows.map((row) => row.eventId);
    },
  };
}
