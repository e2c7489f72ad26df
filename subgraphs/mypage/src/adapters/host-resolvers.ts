import { z } from 'zod';
import { instant } from '#contracts/values.ts';
import { requirePrincipal } from '#platform/auth/principal.ts';
import { badInput } from '#platform/graphql/errors.ts';
import { parseId } from '#platform/graphql/ids.ts';
import { readPage, toConnection } from '#platform/graphql/pagination.ts';
import type { SubgraphContext } from '#platform/graphql/subgraph-server.ts';
import { type HostDay, reportDays } from '../application/host-report.ts';
import { type HostSpaces, hostSpaces } from '../application/host-spaces.ts';
import { countDays } from '../domain/local-dates.ts';
import { toHostFields } from '../host-booking-view.ts';
import type { HostViews, ViewWithTimeline } from '../ports.ts';

const MAX_REPORT_DAYS = 366;
/** Between them every instant of a day is one that both engines store, in every zone. */
const FIRST_DATE = '1970-01-01';
const LAST_DATE = '9998-12-31';
/** The largest Int of GraphQL. */
const MAX_INT = 2_147_483_647;

const position = z.object({ startAt: instant, bookingId: z.uuid() });

interface BookingsArgs {
  spaceId?: string | null;
  status?: string[] | null;
  startsFrom?: Date | null;
  startsBefore?: Date | null;
  first: number | null;
  after?: string | null;
}

interface ReportArgs {
  spaceId?: string | null;
  firstDate: string;
  lastDate: string;
}

/** A day whose open minutes are computed when they are selected. */
interface ReportedDay extends HostDay {
  spaces: HostSpaces;
}

/** The page of a host; what belongs to another host is as if it did not exist. */
export function hostResolvers(views: HostViews) {
  const hostOf = ({ principal }: SubgraphContext) => requirePrincipal(principal).userId;
  const spacesOf = sharedSpaces(views);

  return {
    Query: { hostPage: () => ({}) },

    HostPage: {
      async bookings(_: unknown, args: BookingsArgs, context: SubgraphContext) {
        const page = readPage(args, position);
        const filter = {
          spaceId: readSpaceId(args),
          statuses: args.status ?? null,
          startsFrom: args.startsFrom ?? null,
          startsBefore: args.startsBefore ?? null,
        };
        const found = await views.list(hostOf(context), filter, {
          limit: page.first + 1,
          after: page.after,
        });
        return toConnection(
          found,
          page,
          ({ view }) => ({ startAt: view.startAt?.toISOString(), bookingId: view.bookingId }),
          toHostBooking,
        );
      },
      awaitingApproval: (_: unknown, _args: unknown, context: SubgraphContext) =>
        views.countAwaitingApproval(hostOf(context)),
      async report(_: unknown, args: ReportArgs, context: SubgraphContext) {
        const { firstDate, lastDate } = args;
        requireReportDates(firstDate, lastDate);
        const [hostId, spaceId] = [hostOf(context), readSpaceId(args)];
        const spaces = spacesOf(context, hostId, spaceId);
        const range = { spaceId, firstDate, lastDate };
        const days = await reportDays(views, spaces, hostId, range);
        return days.map((day): ReportedDay => ({ ...day, spaces }));
      },
    },

    HostDay: {
      openMinutes: ({ spaces, date, usedSpaceIds }: ReportedDay) =>
        spaces.openMinutes(date, usedSpaceIds),
      revenue: ({ revenue }: HostDay) =>
        [...revenue]
          .sort()
          .flatMap(([currency, amount]) =>
            toInts(amount).map((each) => ({ amount: each, currency })),
          ),
    },
  };
}

/** The spaces of a host, read once for all reports of a request. */
function sharedSpaces(views: HostViews) {
  const requests = new WeakMap<SubgraphContext, Map<string | null, HostSpaces>>();
  return (context: SubgraphContext, hostId: string, spaceId: string | null): HostSpaces => {
    const shared = requests.get(context) ?? new Map<string | null, HostSpaces>();
    requests.set(context, shared);
    const spaces = shared.get(spaceId) ?? hostSpaces(views, hostId, spaceId);
    shared.set(spaceId, spaces);
    return spaces;
  };
}

/** An amount as amounts that an Int can have. */
function toInts(amount: number): number[] {
  const ints: number[] = [];
  let rest = amount;
  for (; rest > MAX_INT; rest -= MAX_INT) ints.push(MAX_INT);
  return [...ints, rest];
}

function readSpaceId({ spaceId }: { spaceId?: string | null }): string | null {
  return spaceId === undefined || spaceId === null ? null : parseId(spaceId, 'spaceId');
}

function requireReportDates(firstDate: string, lastDate: string): void {
  if (firstDate < FIRST_DATE || lastDate > LAST_DATE) {
    throw badInput('firstDate', `Reports are of days from ${FIRST_DATE} to ${LAST_DATE}.`);
  }
  const days = countDays(firstDate, lastDate);
  if (days < 1) {
    throw badInput('lastDate', `lastDate must not be before firstDate, ${firstDate}.`);
  }
  if (days > MAX_REPORT_DAYS) {
    throw badInput('lastDate', `A report has at most ${MAX_REPORT_DAYS} days, not ${days}.`);
  }
}

/** A booking as HostBookingView of the API shows it; the host's lists have no view without these fields. */
function toHostBooking(listed: ViewWithTimeline) {
  const { view } = listed;
  const { bookingId, status, spaceName, startAt, endAt, priceAmount, currency, version } = view;
  return {
    ...toHostFields(listed),
    ...{ bookingId, status, spaceName, version },
    slot: { startAt, endAt },
    price: { amount: priceAmount, currency },
    refunded: { amount: view.refunded, currency },
  };
}
