import type { InvalidSpace } from '../refusals.ts';
import type { HoursOfDay, OpeningException, OpeningHours } from '../space-terms.ts';
import { entryProblem, invalid, isDate, sizeProblem, textProblem } from './fields.ts';

/** Limits against denial of service: every search for free slots reads all hours and exceptions. */
const MAX_HOURS_PER_DAY = 6;
const MAX_EXCEPTIONS = 400;

/** A time of the day from 00:00 to 23:59. */
export const OPENS = /^([01]\d|2[0-3]):[0-5]\d$/;
/** The same, or 24:00. */
export const CLOSES = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

export function openingHoursProblem(hours: readonly OpeningHours[]): InvalidSpace | null {
  if (hours.length === 0) {
    return invalid(
      'openingHours',
      'A space must be open at some time: leave the field out for always.',
    );
  }
  return entryProblem(hours, (entry, index) => {
    const sameDay = hours.slice(0, index).filter(({ day }) => day === entry.day);
    const field = `openingHours[${index}]`;
    if (sameDay.length >= MAX_HOURS_PER_DAY) {
      return invalid(`${field}.day`, `A day has at most ${MAX_HOURS_PER_DAY} opening hours.`);
    }
    return hoursOfDayProblem(field, entry, sameDay, entry.day);
  });
}

/** `earlier` are the same day's entries before it. */
function hoursOfDayProblem(
  field: string,
  { opens, closes }: HoursOfDay,
  earlier: readonly HoursOfDay[],
  day: string,
): InvalidSpace | null {
  if (!OPENS.test(opens)) return invalid(`${field}.opens`, 'Write HH:MM, from 00:00 to 23:59.');
  if (!CLOSES.test(closes)) return invalid(`${field}.closes`, 'Write HH:MM, from 00:01 to 24:00.');
  if (closes <= opens) {
    return invalid(
      `${field}.closes`,
      'A space closes after it opens: for a night, write two entries that meet at 24:00.',
    );
  }
  if (earlier.some((other) => other.opens < closes && opens < other.closes)) {
    return invalid(field, `The opening hours of ${day} overlap.`);
  }
  return null;
}

export function exceptionsProblem(exceptions: readonly OpeningException[]): InvalidSpace | null {
  const dates = new Set<string>();
  return (
    sizeProblem('openingExceptions', exceptions, MAX_EXCEPTIONS) ??
    entryProblem(exceptions, ({ date, hours, reason }, index) => {
      const field = `openingExceptions[${index}]`;
      if (!isDate(date)) return invalid(`${field}.date`, 'Write a date YYYY-MM-DD.');
      if (dates.has(date)) return invalid(`${field}.date`, `Two exceptions are for ${date}.`);
      dates.add(date);
      return (
        sizeProblem(`${field}.hours`, hours, MAX_HOURS_PER_DAY) ??
        entryProblem(hours, (entry, at) =>
          hoursOfDayProblem(`${field}.hours[${at}]`, entry, hours.slice(0, at), date),
        ) ??
        textProblem(`${field}.reason`, 'reason', reason, 0, 200)
      );
    })
  );
}
