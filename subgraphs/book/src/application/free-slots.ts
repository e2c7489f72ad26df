import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import { openPeriods } from '../domain/opening-hours.ts';
import { lengthOf, nearestSlots, type TimeSlot, without } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';

const ALTERNATIVES = 3;
const SEARCH_MS = 7 * 24 * 3_600_000;

const MINUTE_MS = 60_000;

/**
 * What is still free inside opening hours within [from, to), minus holds and bookings; nothing that
 * begins before the next whole minute.
 */
export async function freeSlots(
  ports: BookPorts,
  space: CatalogueSpace,
  from: Date,
  to: Date,
): Promise<TimeSlot[]> {
  const nextMinute = Math.floor(ports.clock().getTime() / MINUTE_MS + 1) * MINUTE_MS;
  const start = new Date(Math.max(from.getTime(), nextMinute));
  if (start >= to) return [];
  const taken = await ports.bookings.occupied(space.id, start, to);
  return without(openPeriods(space.openingHours, space.timeZone, start, to), taken);
}

/** The nearest free slots of the same length, at most 3, within a week around the one wanted. */
export async function alternativesTo(
  ports: BookPorts,
  space: CatalogueSpace,
  wanted: TimeSlot,
): Promise<TimeSlot[]> {
  const reach = SEARCH_MS + lengthOf(wanted);
  const earliest = Math.max(ports.clock().getTime(), wanted.startAt.getTime() - reach);
  // Whole minutes read better than "in 17.3 seconds".
  const from = new Date(Math.ceil(earliest / MINUTE_MS + 1) * MINUTE_MS);
  const to = new Date(wanted.endAt.getTime() + reach);
  return nearestSlots(await freeSlots(ports, space, from, to), wanted, ALTERNATIVES);
}
