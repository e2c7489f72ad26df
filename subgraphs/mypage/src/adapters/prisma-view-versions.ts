import { setTimeout as wait } from 'node:timers/promises';
import type { ParsedVersionQuestion } from '#contracts/mypage.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { BookingStatusView, StatusChange } from '../booking-status-view.ts';
import type { ViewVersions, ViewWithTimeline } from '../ports.ts';
import { liveGenerationReader } from './live-generation.ts';
import { groupTimelines } from './views-with-timelines.ts';

const DELETE_BATCH_SIZE = 500;
const DELETE_INTERVAL_MS = 10_000;
/** Between two batches, for other writers. */
const PAUSE_MS = 50;

/** The kept versions of views on SQLite or MariaDB. */
export function prismaViewVersions(
  prisma: PrismaClient,
  keepMinutes: number,
  clock: () => Date = () => new Date(),
): ViewVersions {
  const live = liveGenerationReader(prisma);

  async function findKept(generation: number, requests: readonly ParsedVersionQuestion[]) {
    const conditions = requests.flatMap(
      ({ bookingId, after, since }): Prisma.ViewVersionWhereInput[] => {
        // The generation is in each term: SQLite looks up the terms of an OR one by one.
        const ofBooking = { generation, bookingId };
        return [
          ...(after === undefined ? [] : [{ ...ofBooking, version: { gt: after } }]),
          ...(since === undefined ? [] : [{ ...ofBooking, projectedAt: { gte: since } }]),
        ];
      },
    );
    if (conditions.length === 0) return [];
    return prisma.viewVersion.findMany({
      where: { OR: conditions },
      omit: { generation: true },
      orderBy: { version: 'asc' },
    });
  }

  return {
    async find(requests) {
      const generation = await live();
      const bookingIds = [...new Set(requests.map(({ bookingId }) => bookingId))];
      // Before the views, so that no view is older than its kept versions.
      const early = await findKept(generation, requests);
      const views = await prisma.bookingStatusView.findMany({
        where: { generation, bookingId: { in: bookingIds }, customerId: { not: null } },
        omit: { generation: true },
      });
      const presents = new Map(views.map((view) => [view.bookingId, view]));
      // Versions projected between the two queries would look like versions that are no longer kept.
      const kept = isOvertaken(requests, early, presents)
        ? await findKept(generation, requests)
        : early;
      const changes = await prisma.statusChange.findMany({
        where: { generation, bookingId: { in: bookingIds } },
        omit: { generation: true },
        orderBy: { bookingVersion: 'asc' },
      });
      const timelines = groupTimelines(bookingIds, changes);
      return requests.map((request) => {
        const present = presents.get(request.bookingId);
        if (!present) return null;
        const selected = selectVersions(request, kept, present);
        // The first versions may have events of a payment alone: customers do not see them.
        const shown = selected.filter(({ customerId }) => customerId !== null);
        return { present, versions: shown.map((view) => withTimeline(view, timelines)) };
      });
    },

    async projectedSince(since, after, limit) {
      const generation = await live();
      const where: Prisma.ViewVersionWhereInput = after
        ? {
            OR: [
              { projectedAt: { gt: after.projectedAt } },
              { projectedAt: after.projectedAt, bookingId: { gt: after.bookingId } },
              {
                projectedAt: after.projectedAt,
                bookingId: after.bookingId,
                version: { gt: after.version },
              },
            ],
          }
        : { projectedAt: { gte: since } };
      const rows = await prisma.viewVersion.findMany({
        where: { generation, customerId: { not: null }, ...where },
        select: {
          bookingId: true,
          customerId: true,
          hostId: true,
          version: true,
          projectedAt: true,
        },
        orderBy: [{ projectedAt: 'asc' }, { bookingId: 'asc' }, { version: 'asc' }],
        take: limit,
      });
      return rows.map((row) => ({ ...row, customerId: String(row.customerId) }));
    },

    async deleteOld() {
      const { count } = await prisma.viewVersion.deleteMany({
        where: { projectedAt: { lt: new Date(clock().getTime() - keepMinutes * 60_000) } },
        limit: DELETE_BATCH_SIZE,
      });
      return count === DELETE_BATCH_SIZE;
    },
  };
}

/** Is a view newer than the newest version that was read of it? */
function isOvertaken(
  requests: readonly ParsedVersionQuestion[],
  kept: readonly BookingStatusView[],
  presents: ReadonlyMap<string, BookingStatusView>,
): boolean {
  // Ascending by version: the last entry of a booking, its newest version, stays in the map.
  const newest = new Map(kept.map(({ bookingId, version }) => [bookingId, version]));
  return requests.some(({ bookingId, after }) => {
    const read = newest.get(bookingId) ?? after;
    return read !== undefined && read < Number(presents.get(bookingId)?.version);
  });
}

/** The requested versions of a booking, oldest first. */
function selectVersions(
  { bookingId, after, since }: ParsedVersionQuestion,
  kept: readonly (BookingStatusView & { projectedAt: Date })[],
  present: BookingStatusView,
): BookingStatusView[] {
  if (after === undefined && since === undefined) return [present];
  const selected = kept.filter(
    (each) =>
      each.bookingId === bookingId &&
      each.version <= present.version &&
      ((after !== undefined && each.version > after) || (since && each.projectedAt >= since)),
  );
  if (after === undefined || (selected[0] && selected[0].version <= after + 1)) return selected;
  // Older versions are deleted, or nothing is new; a rebuild without some events can lower the version.
  return present.version === after ? [] : [present];
}

/** The version with the part of the booking's timeline that it had. */
function withTimeline(
  view: BookingStatusView,
  timelines: ReadonlyMap<string, readonly StatusChange[]>,
): ViewWithTimeline {
  const timeline = timelines.get(view.bookingId) ?? [];
  return {
    view,
    timeline: timeline.filter(({ bookingVersion }) => bookingVersion <= view.bookingVersion),
  };
}

/** Deletes old versions in batches with pauses. Returns what stops it. */
export function startDeletingVersions(
  versions: Pick<ViewVersions, 'deleteOld'>,
  logger: Logger,
): () => Promise<void> {
  let isStopping = false;
  const stop = repeat(logger, 'deleting old versions of views', DELETE_INTERVAL_MS, async () => {
    while (!isStopping && (await versions.deleteOld())) await wait(PAUSE_MS);
  });
  return () => {
    isStopping = true;
    return stop();
  };
}
