import Holidays from 'date-holidays';
import { LRUCache } from 'lru-cache';
import { koreanHolidays, type LunarDates } from '../domain/korean-holidays.ts';
import { type Holiday, mergeDates } from '../domain/public-holidays.ts';

const DAY_MS = 86_400_000;
/** Countries and years: all that the library and the known years have; one is some kilobytes. */
const MAX_YEARS = 3_000;

const years = new LRUCache<string, Holiday[]>({ max: MAX_YEARS });

/**
 * The public holidays of a country in a year, in order; none of a country that the library lacks. Blocks
 * its thread for up to half a second: a service computes them in the thread of holiday-worker.ts.
 */
export function computeHolidays(country: string, year: number): Holiday[] {
  // The library has other days around Seollal than the law, and no election days.
  if (country === 'KR') return koreanHolidays(year, lunarDates(year));
  if (!Object.hasOwn(new Holidays().getCountries(), country)) return [];
  // A holiday of several days may begin in the year before.
  const holidays = [...libraryYear(country, year - 1), ...libraryYear(country, year)];
  return mergeDates(holidays.filter(({ date }) => date.startsWith(`${year}-`)));
}

/** Each date of the holidays that begin in the year. */
function libraryYear(country: string, year: number): Holiday[] {
  const key = `${country} ${year}`;
  const known = years.get(key);
  if (known) return known;
  const dates = new Holidays(country)
    .getHolidays(year)
    .filter(({ type }) => type === 'public')
    .flatMap(({ date, start, end, name }) => {
      const days = Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY_MS));
      const first = Date.parse(date.slice(0, 10));
      return Array.from({ length: days }, (_, day) => ({
        ...{ date: new Date(first + day * DAY_MS).toISOString().slice(0, 10), name },
      }));
    });
  years.set(key, dates);
  return dates;
}

function lunarDates(year: number): LunarDates {
  const calendar = new Holidays('KR');
  const rules = {
    seollal: 'korean 1-0-1',
    buddhasBirthday: 'korean 4-0-8',
    chuseok: 'korean 8-0-15',
  };
  for (const [name, rule] of Object.entries(rules)) {
    calendar.setHoliday(rule, { name, type: 'observance' });
  }
  const dates = new Map(
    calendar.getHolidays(year).map(({ name, date }) => [name, date.slice(0, 10)]),
  );
  const dateOf = (name: keyof LunarDates) => {
    const date = dates.get(name);
    if (!date) throw new Error(`the calendar has no ${name} in ${year}`);
    return date;
  };
  return {
    seollal: dateOf('seollal'),
    buddhasBirthday: dateOf('buddhasBirthday'),
    chuseok: dateOf('chuseok'),
  };
}
