import { LocalDays, parseDay, toMinutes, toWeekday } from './local-days.ts';
import type { TimeSlot } from './time-slot.ts';

/** In the order of ISO 8601 weekdays. */
export const DAYS_OF_WEEK = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const;

export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/** Local wall-clock times HH:MM; `closes` may be 24:00. */
export interface HoursOfDay {
  opens: string;
  closes: string;
}

/** The hours of a weekday. A day without an entry is closed. */
export interface OpeningHours extends HoursOfDay {
  day: DayOfWeek;
}

/** Replaces the week's hours on one date YYYY-MM-DD of the space's zone; no hours: closed. */
export interface OpeningException {
  date: string;
  hours: readonly HoursOfDay[];
  reason: string;
}

/**
 * When the space is open within [from, to), in order; periods that touch at midnight are one. Hours
 * are wall-clock times of the zone: a day on which clocks change is an hour shorter or longer, and
 * a time that clocks skip means the instant at which they skip.
 */
export function openPeriods(
  hours: readonly OpeningHours[],
  timeZone: string,
  from: Date,
  to: Date,
  exceptions: readonly OpeningException[] = [],
): TimeSlot[] {
  const days = LocalDays.for(timeZone);
  const fromMs = from.getTime();
  const toMs = to.getTime();
  // A day earlier, so that what opened before `from` is seen.
  const firstDay = days.dayAt(fromMs) - 1;
  const minutesOn = calendar(hours, exceptions, firstDay, days.dayAt(toMs));
  const periods: TimeSlot[] = [];
  let openMs = Number.NaN;
  let closeMs = Number.NaN;
  const close = () => {
    if (!(openMs < toMs && closeMs > fromMs)) return;
    const startAt = openMs < fromMs ? from : new Date(openMs);
    periods.push({ startAt, endAt: closeMs > toMs ? to : new Date(closeMs) });
  };
  for (let day = firstDay; days.dayStart(day) < toMs; day += 1) {
    for (const { opens, closes } of minutesOn(day)) {
      const startMs = days.toInstant(day, opens);
      const endMs = days.toInstant(day, closes);
      if (closeMs >= startMs) {
        closeMs = Math.max(closeMs, endMs);
      } else if (endMs > startMs) {
        close();
        [openMs, closeMs] = [startMs, endMs];
      }
    }
  }
  close();
  return periods;
}

/** Does the slot lie in one open period? */
export function isOpenDuring(
  slot: TimeSlot,
  hours: readonly OpeningHours[],
  timeZone: string,
  exceptions: readonly OpeningException[] = [],
): boolean {
  const [period] = openPeriods(hours, timeZone, slot.startAt, slot.endAt, exceptions);
  return (
    period !== undefined &&
    period.startAt.getTime() === slot.startAt.getTime() &&
    period.endAt.getTime() === slot.endAt.getTime()
  );
}

interface Minutes {
  opens: number;
  closes: number;
}

/** The minutes of a day at which it opens and closes, in order, for the days of a range. */
function calendar(
  hours: readonly OpeningHours[],
  exceptions: readonly OpeningException[],
  firstDay: number,
  lastDay: number,
): (day: number) => readonly Minutes[] {
  const week = DAYS_OF_WEEK.map((day) => inOrder(hours.filter((entry) => entry.day === day)));
  const byDay = new Map<number, Minutes[]>();
  for (const { date, hours } of exceptions) {
    const day = parseDay(date);
    if (day >= firstDay && day <= lastDay) byDay.set(day, inOrder(hours));
  }
  return (day) => byDay.get(day) ?? week[toWeekday(day)] ?? [];
}

function inOrder(hours: readonly HoursOfDay[]): Minutes[] {
  return hours
    .map(({ opens, closes }) => ({ opens: toMinutes(opens), closes: toMinutes(closes) }))
    .sort((a, b) => a.opens - b.opens);
}
