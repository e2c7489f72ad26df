import { bookableRange } from './bookable-periods.ts';
import { BookingGrid } from './booking-grid.ts';
import type { SlotTerms } from './booking-rules.ts';

/** Before and after every instant at which a slot may lie. */
const EARLIEST = new Date(0);
const LATEST = new Date('9999-12-31T00:00:00Z');

/**
 * All that the free slots of a space depend on besides the range: while the text stays equal, so do they.
 * Time changes it when the first or last bookable time of the grid passes. `holds` identifies the set of holds
 * that are in the way.
 */
export function toFingerprint(
  space: SlotTerms & { version: number },
  holds: string,
  now: Date,
): string {
  const range = bookableRange(space, EARLIEST, LATEST, now);
  if (!range) return `${space.version} ${holds} none`;
  const grid = new BookingGrid(space.timeZone, space.bookingRules.stepMinutes);
  const first = grid.atOrAfter(range.startAt.getTime());
  const last = grid.atOrBefore(range.endAt.getTime());
  return `${space.version} ${holds} ${first} ${last}`;
}
