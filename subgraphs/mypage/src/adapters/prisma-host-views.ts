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
        where: { generation, hostId, AND: [...toConditions(filter), ...toLater(after)] },
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
          where: { generation, hostId, AND: [...toConditions(range), ...toLater(after)] },
          select: REPORTED,
          orderBy: EARLIEST_FIRST,
          take: REPORT_PAGE_SIZE,
        });
        yield page;
        const last = page.at(-1);
        if (page.length < REPORT_PAGE_SIZE || !last?.startAt) return;
        after = { startAt: last.startAt, bookingId: last.bookingId };
      }
    },

    async spaces(hostId, spaceId) {
      const rows = await prisma.spaceView.findMany({
        where: { generation: await live(), hostId, ...(spaceId !== null && { spaceId }) },
        omit: { generation: true },
      });
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

function toConditions({ spaceId, statuses, startsFrom, startsBefore }: HostBookingFilter): Where[] {
  // A view has a start whenever it has a customer; both engines sort null first.
  const conditions: Where[] = [{ startAt: { not: null } }];
  if (spaceId !== null) conditions.push({ spaceId });
  // One status as an equality, so that the index of statuses has the order, too.
  const [only, ...more] = statuses ?? [];
  if (only !== undefined && more.length === 0) conditions.push({ status: only });
  else if (statuses) conditions.push({ status: { in: [...statuses] } });
  if (startsFrom) conditions.push({ startAt: { gte: startsFrom } });
  if (startsBefore) conditions.push({ startAt: { lt: startsBefore } });
  return conditions;
}

/** The views behind the position. */
function toLater(after: ViewPosition | null): Where[] {
  if (!after) return [];
  const { startAt, bookingId } = after;
  return [
    // By itself a range of the index; engines scan the index from its start for the OR alone.
    { startAt: { gte: startAt } },
    { OR: [{ startAt: { gt: startAt } }, { startAt, bookingId: { gt: bookingId } }] },
  ];
}
