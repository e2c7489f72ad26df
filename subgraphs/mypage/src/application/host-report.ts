import { toRevenue } from '../booking-status-view.ts';
import { addDays, toLocalDate } from '../domain/local-dates.ts';
import type { HostViews, ReportedBooking } from '../ports.ts';
import type { HostSpaces } from './host-spaces.ts';

/** One day of a host's spaces, in the zone of each space. */
export interface HostDay {
  /** YYYY-MM-DD. */
  date: string;
  bookings: number;
  bookedMinutes: number;
  /** The spaces of those bookings. */
  usedSpaceIds: ReadonlySet<string>;
  /** In minor units, by currency. */
  revenue: Map<string, number>;
}

/** The use of these is certain, or was made; a cancelled booking counts for its revenue alone. */
const USED = new Set(['PAID', 'REGISTERED']);
/** More than any zone is away from UTC. */
const MAX_OFFSET_MS = 15 * 3_600_000;
/** Of a booking whose space has no event yet. */
const UNKNOWN_ZONE = 'UTC';

type Ports = Pick<HostViews, 'bookingsBetween'>;

interface Tally extends HostDay {
  usedSpaceIds: Set<string>;
}

/** The days from `firstDate` to `lastDate` on which a use starts that counts, in order. */
export async function reportDays(
  views: Ports,
  spaces: Pick<HostSpaces, 'zones'>,
  hostId: string,
  range: { spaceId: string | null; firstDate: string; lastDate: string },
): Promise<HostDay[]> {
  const { spaceId, firstDate, lastDate } = range;
  const zones = await spaces.zones();
  const tallies = new Map<string, Tally>();
  const instants = {
    from: new Date(Date.parse(firstDate) - MAX_OFFSET_MS),
    to: new Date(Date.parse(addDays(lastDate, 1)) + MAX_OFFSET_MS),
  };
  for await (const page of views.bookingsBetween(hostId, { spaceId, ...instants })) {
    for (const booking of page) {
      const zone = zones.get(booking.spaceId ?? '') ?? UNKNOWN_ZONE;
      const date = booking.startAt && toLocalDate(booking.startAt, zone);
      if (date && date >= firstDate && date <= lastDate) count(tallies, date, booking);
    }
  }
  return [...tallies.values()].sort((a, b) => (a.date < b.date ? -1 : 1));
}

function count(tallies: Map<string, Tally>, date: string, booking: ReportedBooking): void {
  const { status, startAt, endAt, currency, spaceId } = booking;
  const isUsed = USED.has(String(status));
  const revenue = toRevenue(booking);
  if (!(isUsed || revenue !== 0) || !startAt || !endAt || !currency) return;
  const day = tallies.get(date) ?? {
    ...{ date, bookings: 0, bookedMinutes: 0 },
    usedSpaceIds: new Set<string>(),
    revenue: new Map<string, number>(),
  };
  tallies.set(date, day);
  day.revenue.set(currency, (day.revenue.get(currency) ?? 0) + revenue);
  if (!isUsed) return;
  day.bookings += 1;
  day.bookedMinutes += Math.round((endAt.getTime() - startAt.getTime()) / 60_000);
  if (spaceId) day.usedSpaceIds.add(spaceId);
}
