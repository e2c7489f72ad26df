import { LocalDays } from './local-days.ts';
import type { TimeSlot } from './time-slot.ts';

export type DayOfWeek =
  | 'MONDAY'
  | 'TUESDAY'
  | 'WEDNESDAY'
  | 'THURSDAY'
  | 'FRIDAY'
  | 'SATURDAY'
  | 'SUNDAY';

/** Local wall-clock times HH:MM; `closes` may be 24:00. */
export interface HoursOfDay {
  opens: string;
  closes: string;
}

/** The hours of a weekday. A day without an entry is closed. */
export interface OpeningHours extends HoursOfDay {
  day: DayOfWeek;
}

// In the order of ISO 8601 weekdays, Monday being 1.
const DAYS: readonly DayOfWeek[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];

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
): TimeSlot[] {
  const days = LocalDays.for(timeZone);
  const week = toWeek(hours);
  const fromMs = from.getTime();
  const toMs = to.getTime();
  const periods: TimeSlot[] = [];
  let openMs = Number.NaN;
  let closeMs = Number.NaN;
  const close = () => {
    if (!(openMs < toMs && closeMs > fromMs)) return;
    const startAt = openMs < fromMs ? from : new Date(openMs);
    periods.push({ startAt, endAt: closeMs > toMs ? to : new Date(closeMs) });
  };
  // A day earlier, so that what opened before `from` is seen.
  for (let day = days.dayAt(fromMs) - 1; days.dayStart(day) < toMs; day += 1) {
    for (const { opens, closes } of week[toWeekday(day)] ?? []) {
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

interface Minutes {
  opens: number;
  closes: number;
}

/** For each weekday, Monday first, the minutes of the day at which it opens and closes, in order. */
function toWeek(hours: readonly OpeningHours[]): Minutes[][] {
  const week: Minutes[][] = DAYS.map(() => []);
  for (const { day, opens, closes } of hours) {
    week[DAYS.indexOf(day)]?.push({ opens: toMinutes(opens), closes: toMinutes(closes) });
  }
  for (const day of week) day.sort((a, b) => a.opens - b.opens);
  return week;
}

function toMinutes(wallClock: string): number {
  const [hour, minute] = wallClock.split(':').map(Number) as [number, number];
  return hour * 60 + minute;
}

/** 1970-01-01 was a Thursday. */
function toWeekday(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}

/** Does the slot lie in one open period? */
export function isOpenDuring(
  slot: TimeSlot,
  hours: readonly OpeningHours[],
  timeZone: string,
): boolean {
  const [period] = openPeriods(hours, timeZone, slot.startAt, slot.endAt);
  return (
    period !== undefined &&
    period.startAt.getTime() === slot.startAt.getTime() &&
    period.endAt.getTime() === slot.endAt.getTime()
  );
}
