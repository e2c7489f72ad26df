import { DateTime } from 'luxon';
import type { DayOfWeek, OpeningException, OpeningHours } from '../../src/domain/opening-hours.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';

const DAYS: readonly DayOfWeek[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];

/** Open periods by luxon's calendar, day by day: slow, and what the fast computation must equal. */
export function luxonOpenPeriods(
  hours: readonly OpeningHours[],
  timeZone: string,
  from: Date,
  to: Date,
  exceptions: readonly OpeningException[] = [],
): TimeSlot[] {
  const periods: TimeSlot[] = [];
  // A day earlier, so that what opened before `from` is seen.
  let day = DateTime.fromJSDate(from, { zone: timeZone }).startOf('day').minus({ days: 1 });
  const end = DateTime.fromJSDate(to, { zone: timeZone });
  for (; day < end; day = day.plus({ days: 1 }).startOf('day')) {
    const exception = exceptions.find(({ date }) => date === day.toISODate());
    const today = exception?.hours ?? hours.filter((entry) => entry.day === DAYS[day.weekday - 1]);
    for (const { opens, closes } of [...today].sort((a, b) => a.opens.localeCompare(b.opens))) {
      const startAt = toInstant(day, opens);
      const endAt = toInstant(day, closes);
      const last = periods.at(-1);
      if (last && last.endAt >= startAt) {
        if (endAt > last.endAt) last.endAt = endAt;
      } else if (endAt > startAt) {
        periods.push({ startAt, endAt });
      }
    }
  }
  return periods
    .filter((period) => period.startAt < to && period.endAt > from)
    .map(({ startAt, endAt }) => ({
      startAt: startAt < from ? from : startAt,
      endAt: endAt > to ? to : endAt,
    }));
}

function toInstant(day: DateTime, wallClock: string): Date {
  if (wallClock === '24:00') return day.plus({ days: 1 }).startOf('day').toJSDate();
  const [hour, minute] = wallClock.split(':').map(Number) as [number, number];
  const local = day.set({ hour, minute });
  // Luxon moves a skipped time on by the skipped hour; the space opens when the clocks skip.
  const skipped = local.hour !== hour || local.minute !== minute;
  return skipped ? endOfSkip(local) : local.toJSDate();
}

function endOfSkip(afterSkip: DateTime): Date {
  let instant = afterSkip;
  while (instant.minus({ minutes: 1 }).offset === afterSkip.offset) {
    instant = instant.minus({ minutes: 1 });
  }
  return instant.toJSDate();
}
