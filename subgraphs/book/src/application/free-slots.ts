import { bookablePeriods, bookableRange, bufferedRange } from '../domain/bookable-periods.ts';
import { BookingGrid } from '../domain/booking-grid.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import { lengthMs, nearestSlots, type TimeSlot } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';

const MAX_ALTERNATIVES = 3;
const SEARCH_MS = 7 * 24 * 3_600_000;

/** The periods within [from, to) in which the space may be booked now; see `bookablePeriods`. */
export async function findFreeSlots(
  ports: BookPorts,
  space: CatalogueSpace,
  from: Date,
  to: Date,
): Promise<TimeSlot[]> {
  const now = ports.clock();
  const range = bookableRange(space, from, to, now);
  if (!range) return [];
  const { startAt, endAt } = bufferedRange(range, space);
  const occupied = await ports.bookings.occupiedSlots(space.id, startAt, endAt);
  return bookablePeriods(space, from, to, now, occupied);
}

/**
 * The nearest free slots of the same length, at most 3, within a week around the one wanted. Where its
 * length is permitted, requestBooking accepts them.
 */
export async function findAlternatives(
  ports: BookPorts,
  space: CatalogueSpace,
  wanted: TimeSlot,
): Promise<TimeSlot[]> {
  const reach = SEARCH_MS + lengthMs(wanted);
  const from = new Date(wanted.startAt.getTime() - reach);
  const to = new Date(wanted.endAt.getTime() + reach);
  const free = await findFreeSlots(ports, space, from, to);
  const grid = new BookingGrid(space.timeZone, space.bookingRules.stepMinutes);
  return nearestSlots(free, wanted, MAX_ALTERNATIVES, grid);
}
