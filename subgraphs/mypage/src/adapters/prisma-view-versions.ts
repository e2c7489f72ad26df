import { setTimeout as wait } from 'node:timers/promises';
import type { ParsedVersionQuestion } from '#contracts/mypage.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { BookingStatusView } from '../booking-status-view.ts';
import type { ViewVersions } from '../ports.ts';
import { liveGenerationReader } from './prisma-view-generations.ts';
import { timelinesOf } from './whole-views.ts';

const PRUNE_BATCH_SIZE = 500;
const PRUNE_MS = 10_000;
const PAUSE_MS = 50;

/** The kept versions on SQLite or MariaDB. */
export function prismaViewVersions(
  prisma: PrismaClient,
  keepMinutes: number,
  clock: () => Date = () => new Date(),
): ViewVersions {
  const live = liveGenerationReader(prisma);

  async function kept(generation: number, questions: readonly ParsedVersionQuestion[]) {
    const asked = questions.flatMap(
      ({ bookingId, after, since }): Prisma.ViewVersionWhereInput[] => {
        // The generation in each of them: SQLite looks up the terms of an OR one by one.
        const of = { generation, bookingId };
        return [
          ...(after === undefined ? [] : [{ ...of, version: { gt: after } }]),
          ...(since === undefined ? [] : [{ ...of, projectedAt: { gte: since } }]),
        ];
      },
    );
    if (asked.length === 0) return [];
    return prisma.viewVersion.findMany({
      where: { OR: asked },
      omit: { generation: true },
      orderBy: { version: 'asc' },
    });
  }

  return {
    async of(questions) {
      const generation = await live();
      const bookingIds = [...new Set(questions.map(({ bookingId }) => bookingId))];
      // First, so that the view itself is not older than any of them.
      const known = await kept(generation, questions);
      const views = await prisma.bookingStatusView.findMany({
        where: { generation, bookingId: { in: bookingIds }, customerId: { not: null } },
        omit: { generation: true },
      });
      const presents = new Map(views.map((view) => [view.bookingId, view]));
      // Of each booking the last one, which is the newest.
      const newest = new Map(known.map(({ bookingId, version }) => [bookingId, version]));
      // What was projected between the two would look like versions that are not kept any more.
      const isOvertaken = questions.some(({ bookingId, after }) => {
        const read = newest.get(bookingId) ?? after;
        return read !== undefined && read < Number(presents.get(bookingId)?.version);
      });
      const versions = isOvertaken ? await kept(generation, questions) : known;
      const changes = await prisma.statusChange.findMany({
        where: { generation, bookingId: { in: bookingIds } },
        omit: { generation: true },
        orderBy: { bookingVersion: 'asc' },
      });
      const timelines = timelinesOf(bookingIds, changes);
      const whole = (view: BookingStatusView) => ({
        view,
        // A version knows nothing of statuses that came after it.
        timeline: (timelines.get(view.bookingId) ?? []).filter(
          ({ bookingVersion }) => bookingVersion <= view.bookingVersion,
        ),
      });
      return questions.map((question) => {
        const present = presents.get(question.bookingId);
        if (!present) return null;
        const ofBooking = versions.filter(
          ({ bookingId, version }) =>
            bookingId === question.bookingId && version <= present.version,
        );
        const asked = askedOf(question, ofBooking, present);
        // The first ones may be known by a payment alone: they are shown to nobody.
        const shown = asked.filter(({ customerId }) => customerId !== null);
        return { present, versions: shown.map(whole) };
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
        select: { bookingId: true, customerId: true, version: true, projectedAt: true },
        orderBy: [{ projectedAt: 'asc' }, { bookingId: 'asc' }, { version: 'asc' }],
        take: limit,
      });
      return rows.map((row) => ({ ...row, customerId: String(row.customerId) }));
    },

    async prune() {
      const { count } = await prisma.viewVersion.deleteMany({
        where: { projectedAt: { lt: new Date(clock().getTime() - keepMinutes * 60_000) } },
        limit: PRUNE_BATCH_SIZE,
      });
      return count === PRUNE_BATCH_SIZE;
    },
  };
}

/** What the question asks for, of what is kept of the booking; oldest first. */
function askedOf(
  { after, since }: ParsedVersionQuestion,
  kept: readonly (BookingStatusView & { projectedAt: Date })[],
  present: BookingStatusView,
): BookingStatusView[] {
  if (after === undefined && since === undefined) return [present];
  const asked = kept.filter(
    ({ version, projectedAt }) =>
      (after !== undefined && version > after) || (since && projectedAt >= since),
  );
  if (after === undefined || (asked[0] && asked[0].version <= after + 1)) return asked;
  // Not kept so far back, or nothing new; a rebuild that left events out can make a lower version.
  return present.version === after ? [] : [present];
}

/** Deletes old versions bit by bit, so that nobody waits for it. Returns what stops it. */
export function startPruning(
  versions: Pick<ViewVersions, 'prune'>,
  logger: Logger,
): () => Promise<void> {
  let stopping = false;
  const stop = repeat(logger, 'pruning versions of views', PRUNE_MS, async () => {
    while (!stopping && (await versions.prune())) await wait(PAUSE_MS);
  });
  return () => {
    stopping = true;
    return stop();
  };
}
