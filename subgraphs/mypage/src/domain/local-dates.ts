import { IANAZone } from 'luxon';

const DAY_MS = 86_400_000;
const WEEKDAYS = [
  'SUNDAY',
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
] as const;

/** Local wall-clock times HH:MM; `closes` may be 24:00. */
interface HoursOfDay {
  opens: string;
  closes: string;
}

/** When a space is open: by weekday, and on dates that differ from it. */
interface OpenTimes {
  openingHours: readonly (HoursOfDay & { day: string })[];
  openingExceptions: readonly { date: string; hours: readonly HoursOfDay[] }[];
}

/** The date YYYY-MM-DD that calendars of the zone show at the instant. */
export function toLocalDate(instant: Date, timeZone: string): string {
  const offsetMs = IANAZone.create(timeZone).offset(instant.getTime()) * 60_000;
  return new Date(instant.getTime() + offsetMs).toISOString().slice(0, 10);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The number of days from the first date to the last, both included; below 1 when they are reversed. */
export function countDays(firstDate: string, lastDate: string): number {
  return (Date.parse(lastDate) - Date.parse(firstDate)) / DAY_MS + 1;
}

/**
 * For how many minutes the space is open on a date, by the wall clock: a day on which clocks change has as
 * many as any other. Hours that overlap count once.
 */
export function openMinutesOn(
  { openingHours, openingExceptions }: OpenTimes,
  date: string,
): number {
  const weekday = WEEKDAYS[new Date(date).getUTCDay()];
  const exception = openingExceptions.find((each) => each.date === date);
  const hours = exception?.hours ?? openingHours.filter(({ day }) => day === weekday);
  const periods = hours
    .map(({ opens, closes }) => [toMinutes(opens), toMinutes(closes)] as const)
    .sort(([a], [b]) => a - b);
  let minutes = 0;
  let until = 0;
  for (const [opens, closes] of periods) {
    minutes += Math.max(0, closes - Math.max(opens, until));
    until = Math.max(until, closes);
  }
  return minutes;
}

function toMinutes(wallClock: string): number {
  const [hour, minute] = wallClock.split(':').map(Number) as [number, number];
  return hour * 60 + minute;
}
