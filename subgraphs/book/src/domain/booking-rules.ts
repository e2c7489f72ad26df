import { DateTime } from 'luxon';
import { BookingGrid } from './booking-grid.ts';
import type { CatalogueSpace } from './catalogue-space.ts';
import { LocalDays } from './local-days.ts';
import { isOpenDuring } from './opening-hours.ts';
import type { RequestProblem } from './request-problem.ts';
import { lengthMs, type TimeSlot } from './time-slot.ts';

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
  const startMs = slot.startAt.getTime();
  const noticeMs = toNoticeMs(space, now);
  if (startMs < noticeMs) {
    const from = toLocalText(noticeMs, timeZone);
    const notice = toText(rules.minNoticeMinutes);
    return {
      field: 'slot.startAt',
      message: `${name} is booked at least ${notice} ahead: the slot must start from ${from} on.`,
    };
  }
  const horizonMs = toHorizonMs(space, now);
  if (startMs > horizonMs) {
    const until = toLocalText(horizonMs, timeZone);
    return {
      field: 'slot.startAt',
      message: `${name} is booked at most ${toText(rules.maxAdvanceDays * 1_440)} ahead: the slot must start by ${until}.`,
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

/** The first instant at which a slot may start, unless it is `now`. */
export function toNoticeMs({ bookingRules: rules }: SlotTerms, now: Date): number {
  return now.getTime() + rules.minNoticeMinutes * MINUTE_MS;
}

/** The last instant at which a slot may start: days by the wall clock, like those of refund tiers. */
export function toHorizonMs({ timeZone, bookingRules: rules }: SlotTerms, now: Date): number {
  return LocalDays.for(timeZone).plusDays(now.getTime(), rules.maxAdvanceDays);
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
    .map((near) => toLocalText(near, timeZone));
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

/** RFC 3339 with the offset of the zone. */
function toLocalText(instantMs: number, timeZone: string): string | null {
  return DateTime.fromMillis(instantMs, { zone: timeZone })
    .startOf('second')
    .toISO({ suppressMilliseconds: true });
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
