import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { HostBookingFilter, HostViews, ReportedBooking, ViewPosition } from '../ports.ts';
import { liveGenerationReader } from './live-generation.ts';
import { fromSpaceRow } from './space-projection.ts';
import { withTimelines } from './views-with-timelines.ts';

/** Bookings of a report that are in memory at once. */
const REPORT_PAGE_SIZE = 2_000;

type Where = Prisma.BookingStatusViewWhereInput;

/** The views of the spaces of one host, on SQLite or MariaDB. */
export function prismaHostViews(prisma: PrismaClient): HostViews {
  const live = liveGenerationReader(prisma);

  return {
    async list(hostId, filter, { limit, after }) {
      const generation = await live();
      const views = await prisma.bookingStatusView.findMany({
        where: { generation, hostId, ...toConditions(filter, after) },
        omit: { generation: true },
        orderBy: EARLIEST_FIRST,
        take: limit,
      });
      const changes = await prisma.statusChange.findMany({
        where: { generation, bookingId: { in: views.map(({ bookingId }) => bookingId) } },
        omit: { generation: true },
        orderBy: { bookingVersion: 'asc' },
      });
      return withTimelines(views, changes);
    },

    countAwaitingApproval: async (hostId) =>
      prisma.bookingStatusView.count({
        where: { generation: await live(), hostId, status: 'AWAITING_APPROVAL' },
      }),

    async *bookingsBetween(hostId, { spaceId, from, to }) {
      const generation = await live();
      const range = { spaceId, statuses: null, startsFrom: from, startsBefore: to };
      for (let after: ViewPosition | null = null; ; ) {
        const page: ReportedBooking[] = await prisma.bookingStatusView.findMany({
          where: { generation, hostId, ...toConditions(range, after) },
          select: REPORTED,
          orderBy: EARLIEST_FIRST,
          take: REPORT_PAGE_SIZE,
        });
        await nextTurn();
        yield page;
        const last = page.at(-1);
        if (page.length < REPORT_PAGE_SIZE || !last?.startAt) return;
        after = { startAt: last.startAt, bookingId: last.bookingId };
      }
    },

    async spaceZones(hostId, spaceId) {
      const rows = await prisma.spaceView.findMany({
        where: { generation: await live(), hostId, ...(spaceId !== null && { spaceId }) },
        select: { spaceId: true, timeZone: true },
      });
      return new Map(rows.map(({ spaceId, timeZone }) => [spaceId, timeZone]));
    },

    async spaces(hostId, spaceIds) {
      const rows = await prisma.spaceView.findMany({
        where: { generation: await live(), hostId, spaceId: { in: [...spaceIds] } },
        omit: { generation: true },
      });
      await nextTurn();
      return rows.map(fromSpaceRow);
    },
  };
}

const EARLIEST_FIRST = [
  { startAt: 'asc' },
  { bookingId: 'asc' },
] satisfies Prisma.BookingStatusViewOrderByWithRelationInput[];

const REPORTED = {
  bookingId: true,
  spaceId: true,
  status: true,
  startAt: true,
  endAt: true,
  priceAmount: true,
  currency: true,
  paymentStatus: true,
  chargedAmount: true,
  refunded: true,
} as const satisfies Record<keyof ReportedBooking, true>;

/** A view that has a host has a start, because the same events set both. */
function toConditions(filter: HostBookingFilter, after: ViewPosition | null): Where {
  const { spaceId, statuses, startsBefore } = filter;
  // One status as an equality, so that the index of statuses has the order, too.
  const [only, ...more] = statuses ?? [];
  const status = only !== undefined && more.length === 0 ? only : { in: [...(statuses ?? [])] };
  // One lower bound, because an engine begins its scan of the index at any one of several; none at an OR.
  const lower = latest(filter.startsFrom, after?.startAt ?? null);
  return {
    ...(spaceId !== null && { spaceId }),
    ...(statuses && { status }),
    startAt: { ...(lower && { gte: lower }), ...(startsBefore && { lt: startsBefore }) },
    ...(after && {
      OR: [
        { startAt: { gt: after.startAt } },
        { startAt: after.startAt, bookingId: { gt: after.bookingId } },
      ],
    }),
  };
}

function latest(one: Date | null, other: Date | null): Date | null {
  if (!one || !other) return one ?? other;
  return one > other ? one : other;
}
