import type Holidays from 'date-holidays';
import { LRUCache } from 'lru-cache';
import { koreanHolidays, type LunarDates } from '../domain/korean-holidays.ts';
import { FIRST_YEAR, type Holiday, LAST_YEAR, mergeDates } from '../domain/public-holidays.ts';

const DAY_MS = 86_400_000;
/** Countries and years; one is some kilobytes. */
const MAX_CACHED = 500;

const cache = new LRUCache<string, Holiday[]>({ max: MAX_CACHED });
// Its data are megabytes, which a process without holidays need not load.
let library: Promise<typeof Holidays> | undefined;

/**
 * The public holidays of a country in a year, in order, without overrides; none where the country or
 * the year is not known. The first call takes some 100 ms, one of another country or year 30 ms.
 */
export async function libraryHolidays(country: string, year: number): Promise<readonly Holiday[]> {
  if (year < FIRST_YEAR || year > LAST_YEAR) return [];
  const key = `${country} ${year}`;
  const known = cache.get(key);
  if (known) return known;
  library ??= import('date-holidays').then((module) => module.default);
  const loaded = await library;
  // Another call may have computed them while the library was loaded.
  const found = cache.get(key) ?? computeHolidays(loaded, country, year);
  cache.set(key, found);
  return found;
}

function computeHolidays(library: typeof Holidays, country: string, year: number): Holiday[] {
  // The library has other days around Seollal than the law, and no election days.
  if (country === 'KR') return koreanHolidays(year, lunarDates(library, year));
  if (!Object.hasOwn(new library().getCountries(), country)) return [];
  const calendar = new library(country);
  // A holiday of several days may begin in the year before.
  const holidays = [year - 1, year]
    .flatMap((each) => calendar.getHolidays(each))
    .filter(({ type }) => type === 'public')
    .flatMap(({ date, start, end, name }) => {
      const days = Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY_MS));
      const first = Date.parse(date.slice(0, 10));
      return Array.from({ length: days }, (_, day) => ({
        ...{ date: new Date(first + day * DAY_MS).toISOString().slice(0, 10), name },
      }));
    })
    .filter(({ date }) => date.startsWith(`${year}-`));
  return mergeDates(holidays);
}

function lunarDates(library: typeof Holidays, year: number): LunarDates {
  const calendar = new library('KR');
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
