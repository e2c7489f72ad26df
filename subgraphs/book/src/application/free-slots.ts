import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import { openPeriods } from '../domain/opening-hours.ts';
import { lengthMs, nearestSlots, subtractSlots, type TimeSlot } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';

const MAX_ALTERNATIVES = 3;
const SEARCH_MS = 7 * 24 * 3_600_000;

const MINUTE_MS = 60_000;

/**
 * The free slots within [from, to): the opening hours without the occupied slots, from the next whole
 * minute on.
 */
export async function findFreeSlots(
  ports: BookPorts,
  space: CatalogueSpace,
  from: Date,
  to: Date,
): Promise<TimeSlot[]> {
  const nextMinute = Math.floor(ports.clock().getTime() / MINUTE_MS + 1) * MINUTE_MS;
  const start = new Date(Math.max(from.getTime(), nextMinute));
  if (start >= to) return [];
  const occupied = await ports.bookings.occupiedSlots(space.id, start, to);
  return subtractSlots(openPeriods(space.openingHours, space.timeZone, start, to), occupied);
}

/** The nearest free slots of the same length, at most 3, within a week around the one wanted. */
export async function findAlternatives(
  ports: BookPorts,
  space: CatalogueSpace,
  wanted: TimeSlot,
): Promise<TimeSlot[]> {
  const reach = SEARCH_MS + lengthMs(wanted);
  const earliest = Math.max(ports.clock().getTime(), wanted.startAt.getTime() - reach);
  // Whole minutes read better than "in 17.3 seconds".
  const from = new Date(Math.ceil(earliest / MINUTE_MS + 1) * MINUTE_MS);
  const to = new Date(wanted.endAt.getTime() + reach);
  return nearestSlots(await findFreeSlots(ports, space, from, to), wanted, MAX_ALTERNATIVES);
}
