import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { BookingStatusView, StatusChange } from '../booking-status-view.ts';
import type { ViewWithTimeline } from '../ports.ts';

/** Views with their timelines, in the order of booking ids, which is the key's order. */
export async function findViewsAfter(
  prisma: PrismaClient,
  generation: number,
  after: string,
  limit: number,
): Promise<ViewWithTimeline[]> {
  const views = await prisma.bookingStatusView.findMany({
    where: { generation, bookingId: { gt: after } },
    omit: { generation: true },
    orderBy: { bookingId: 'asc' },
    take: limit,
  });
  const last = views.at(-1)?.bookingId;
  if (last === undefined) return [];
  const changes = await prisma.statusChange.findMany({
    where: { generation, bookingId: { gt: after, lte: last } },
    omit: { generation: true },
    orderBy: [{ bookingId: 'asc' }, { bookingVersion: 'asc' }],
  });
  return withTimelines(views, changes);
}

export async function findViews(
  prisma: PrismaClient,
  generation: number,
  bookingIds: readonly string[],
): Promise<ViewWithTimeline[]> {
  const where = { generation, bookingId: { in: [...bookingIds] } };
  const omit = { generation: true } as const;
  const views = await prisma.bookingStatusView.findMany({ where, omit });
  const changes = await prisma.statusChange.findMany({
    where,
    omit,
    orderBy: { bookingVersion: 'asc' },
  });
  return withTimelines(views, changes);
}

export function withTimelines(
  views: readonly BookingStatusView[],
  changes: readonly StatusChange[],
): ViewWithTimeline[] {
  const timelines = groupTimelines(
    views.map((view) => view.bookingId),
    changes,
  );
  return views.map((view) => ({ view, timeline: timelines.get(view.bookingId) ?? [] }));
}

/** The changes by booking, in the given order; a booking without changes has an empty timeline. */
export function groupTimelines(
  bookingIds: readonly string[],
  changes: readonly StatusChange[],
): Map<string, StatusChange[]> {
  const timelines = new Map<string, StatusChange[]>(bookingIds.map((id) => [id, []]));
  for (const change of changes) timelines.get(change.bookingId)?.push(change);
  return timelines;
}
