import type { Inbox } from '#platform/inbox.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
  type StatusChange,
  statusChangeOf,
} from '../booking-status-view.ts';
import type { ViewStore } from '../ports.ts';

/**
 * The read model on SQLite or MariaDB; tables are Prisma's migrations in prisma/mypage. It keeps
 * to what both engines do alike, so no statement is written twice.
 */
export function prismaViewStore(prisma: PrismaClient): ViewStore & Inbox {
  return {
    async project(events) {
      await prisma.$transaction((tx) => projectAll(tx, events), {
        timeout: 20_000,
        maxWait: 20_000,
      });
    },

    async list(customerId, { limit, after, statuses }) {
      const startAt = after && new Date(after.startAt);
      const rows = await prisma.bookingStatusView.findMany({
        where: {
          customerId,
          ...(statuses && { status: { in: [...statuses] } }),
          ...(after &&
            startAt && {
              OR: [{ startAt: { lt: startAt } }, { startAt, bookingId: { lt: after.bookingId } }],
            }),
        },
        orderBy: [{ startAt: 'desc' }, { bookingId: 'desc' }],
        take: limit,
      });
      return rows;
    },

    find: (customerId, bookingId) =>
      prisma.bookingStatusView.findFirst({ where: { bookingId, customerId } }),

    async timelines(bookingIds) {
      const changes = await prisma.statusChange.findMany({
        where: { bookingId: { in: [...bookingIds] } },
        orderBy: { bookingVersion: 'asc' },
      });
      const timelines = new Map<string, StatusChange[]>(bookingIds.map((id) => [id, []]));
      for (const change of changes) timelines.get(change.bookingId)?.push(change);
      return timelines;
    },

    async held(ids) {
      const rows = await prisma.inboxEvent.findMany({ where: { eventId: { in: [...ids] } } });
      return rows.map((row) => row.eventId);
    },
  };
}

async function projectAll(
  tx: Prisma.TransactionClient,
  events: readonly ProjectedEvent[],
): Promise<void> {
  const ids = [...new Set(events.map(({ id }) => id))];
  const held = await tx.inboxEvent.findMany({ where: { eventId: { in: ids } } });
  const known = new Set(held.map((row) => row.eventId));
  const fresh = events.filter(({ id }) => !known.has(id) && known.add(id));
  if (fresh.length === 0) return;
  // A concurrent writer of the same event fails here, on the key, with all that it wrote.
  await tx.inboxEvent.createMany({ data: fresh.map(({ id }) => ({ eventId: id })) });

  const bookingIds = [...new Set(fresh.map(({ facts }) => facts.bookingId))];
  const stored = await tx.bookingStatusView.findMany({ where: { bookingId: { in: bookingIds } } });
  const before = new Map(stored.map((view) => [view.bookingId, view as BookingStatusView]));
  const after = new Map(before);
  for (const event of fresh) {
    const { bookingId } = event.facts;
    after.set(bookingId, project(after.get(bookingId) ?? null, event));
  }
  // Replaced, not updated: however many views a group touches, it takes the same few statements.
  const replaced = [...before.values()].map(({ bookingId, version }) => ({ bookingId, version }));
  if (replaced.length > 0) {
    const { count } = await tx.bookingStatusView.deleteMany({ where: { OR: replaced } });
    if (count < replaced.length) throw new Error('a view was changed by another writer meanwhile');
  }
  await tx.bookingStatusView.createMany({ data: [...after.values()] });
  const changes = fresh.map(statusChangeOf).filter((change) => change !== null);
  if (changes.length > 0) await tx.statusChange.createMany({ data: changes });
}
