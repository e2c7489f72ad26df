import { BookingGrid } from './booking-grid.ts';
import { type SlotTerms, toHorizonMs, toNoticeMs } from './booking-rules.ts';
import { openPeriods } from './opening-hours.ts';
import { subtractSlots, type TimeSlot } from './time-slot.ts';

const MINUTE_MS = 60_000;

/**
 * When the space may be booked within [from, to), in order: every slot on the grid in a period, of a
 * length that the rules permit, breaks no rule and is in no hold's way. A period ends at the horizon,
 * although a slot that starts before it may end later. `occupied` are the holds in order of their
 * starts, each with its own buffers, that overlap the range widened by {@link bufferedRange}.
 */
export function bookablePeriods(
  space: SlotTerms,
  from: Date,
  to: Date,
  now: Date,
  occupied: readonly TimeSlot[],
): TimeSlot[] {
  const range = bookableRange(space, from, to, now);
  if (!range) return [];
  const { timeZone, openingHours, openingExceptions, bookingRules: rules } = space;
  const open = openPeriods(openingHours, timeZone, range.startAt, range.endAt, openingExceptions);
  const grid = new BookingGrid(timeZone, rules.stepMinutes);
  return subtractSlots(
    open,
    occupied.map((hold) => widen(hold, space)),
  ).flatMap((free) => {
    const startMs = grid.atOrAfter(free.startAt.getTime());
    const endMs = grid.atOrBefore(free.endAt.getTime());
    if (!(endMs - startMs >= rules.minMinutes * MINUTE_MS && endMs > startMs)) return [];
    return [{ startAt: new Date(startMs), endAt: new Date(endMs) }];
  });
}

/** The part of [from, to) in which slots may lie at `now`; undefined: none. */
export function bookableRange(
  space: SlotTerms,
  from: Date,
  to: Date,
  now: Date,
): TimeSlot | undefined {
  if (space.state !== 'ACTIVE') return undefined;
  // A slot starts after now, even without notice.
  const earliestMs = Math.max(toNoticeMs(space, now), now.getTime() + 1);
  const startMs = Math.max(from.getTime(), earliestMs);
  const endMs = Math.min(to.getTime(), toHorizonMs(space, now));
  return startMs < endMs ? { startAt: new Date(startMs), endAt: new Date(endMs) } : undefined;
}

/** The range in which a hold may be in the way of a slot of the space within `range`. */
export function bufferedRange(range: TimeSlot, { bookingRules: rules }: SlotTerms): TimeSlot {
  return {
    startAt: new Date(range.startAt.getTime() - rules.bufferBeforeMinutes * MINUTE_MS),
    endAt: new Date(range.endAt.getTime() + rules.bufferAfterMinutes * MINUTE_MS),
  };
}

/** The times at which a slot overlaps the hold with its own buffers. */
function widen(hold: TimeSlot, { bookingRules: rules }: SlotTerms): TimeSlot {
  return {
    startAt: new Date(hold.startAt.getTime() - rules.bufferAfterMinutes * MINUTE_MS),
    endAt: new Date(hold.endAt.getTime() + rules.bufferBeforeMinutes * MINUTE_MS),
  };
}
