import { DateTime } from 'luxon';
import { BookingGrid } from './booking-grid.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import { isOpenDuring, openPeriods } from './opening-hours.ts';
import type { RequestProblem } from './request-problem.ts';
import { lengthMs, subtractSlots, type TimeSlot } from './time-slot.ts';

const MINUTE_MS = 60_000;
/** A limit against denial of service: a quote reads every day of its slot. */
export const MAX_SLOT_MINUTES = 31 * 24 * 60;

/** The terms of a space that decide which slots may be booked. */
export type SlotTerms = Pick<
  CatalogueSpace,
  'name' | 'timeZone' | 'state' | 'bookingRules' | 'openingHours' | 'openingExceptions'
>;

/** The first rule of the space on the time of a slot that the slot breaks, at `now`. */
export function findSlotProblem(
  slot: TimeSlot,
  space: SlotTerms,
  now: Date,
): RequestProblem | undefined {
  const { name, timeZone, bookingRules: rules } = space;
  if (space.state !== 'ACTIVE') return toStateProblem(space);
  if (slot.endAt <= slot.startAt) {
    return { field: 'slot.endAt', message: 'The slot must end after it starts.' };
  }
  if (slot.startAt <= now) {
    return { field: 'slot.startAt', message: 'The slot must start in the future.' };
  }
  const problem =
    findGridProblem('startAt', slot.startAt, space) ??
    findGridProblem('endAt', slot.endAt, space) ??
    findLengthProblem(slot, space);
  if (problem) return problem;
  if (slot.startAt.getTime() < toNoticeMs(space, now)) {
    const notice = toText(rules.minNoticeMinutes);
    return { field: 'slot.startAt', message: `${name} is booked at least ${notice} ahead.` };
  }
  if (slot.startAt.getTime() > toHorizonMs(space, now)) {
    return {
      field: 'slot.startAt',
      message: `${name} is booked at most ${rules.maxAdvanceDays} days ahead.`,
    };
  }
  if (!isOpenDuring(slot, space.openingHours, timeZone, space.openingExceptions)) {
    return {
      field: 'slot',
      message: `The slot must lie within the opening hours of ${name} (${timeZone}).`,
    };
  }
  return undefined;
}

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

function toNoticeMs({ bookingRules: rules }: SlotTerms, now: Date): number {
  return now.getTime() + rules.minNoticeMinutes * MINUTE_MS;
}

/** The last instant at which a slot may start: days by the wall clock, like those of refund tiers. */
function toHorizonMs({ timeZone, bookingRules: rules }: SlotTerms, now: Date): number {
  return DateTime.fromJSDate(now, { zone: timeZone })
    .plus({ days: rules.maxAdvanceDays })
    .toMillis();
}

function toStateProblem({ name, state }: SlotTerms): RequestProblem {
  const until = state === 'PAUSED' ? 'at present' : 'any more';
  return { field: 'spaceId', message: `${name} takes no bookings ${until}.` };
}

function findGridProblem(
  end: 'startAt' | 'endAt',
  instant: Date,
  { name, timeZone, bookingRules: { stepMinutes } }: SlotTerms,
): RequestProblem | undefined {
  const grid = new BookingGrid(timeZone, stepMinutes);
  const at = instant.getTime();
  if (grid.has(at)) return undefined;
  const nearest = [grid.atOrBefore(at), grid.atOrAfter(at)]
    .filter((near) => !Number.isNaN(near))
    .map((near) =>
      DateTime.fromMillis(near, { zone: timeZone }).toISO({ suppressMilliseconds: true }),
    );
  return {
    field: `slot.${end}`,
    message:
      `Bookings of ${name} start and end every ${toText(stepMinutes)} from midnight (${timeZone}): ` +
      `the nearest times are ${nearest.join(' and ')}.`,
  };
}

function findLengthProblem(
  slot: TimeSlot,
  { name, bookingRules: { minMinutes, maxMinutes } }: SlotTerms,
): RequestProblem | undefined {
  const minutes = lengthMs(slot) / MINUTE_MS;
  if (minutes < minMinutes) {
    return { field: 'slot', message: `${name} is booked for at least ${toText(minMinutes)}.` };
  }
  const max = Math.min(maxMinutes, MAX_SLOT_MINUTES);
  if (minutes > max) {
    return { field: 'slot', message: `${name} is booked for at most ${toText(max)}.` };
  }
  return undefined;
}

/** `90` is `1 h 30 min`. */
function toText(minutes: number): string {
  const parts = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor((minutes % 1440) / 60), 'h'],
    [minutes % 60, 'min'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return shown.join(' ') || '0 min';
}
