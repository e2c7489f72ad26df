import { LRUCache } from 'lru-cache';
import type { Holiday } from '../domain/public-holidays.ts';
import { holidayThread } from './holiday-thread.ts';

/** All pairs of letters in all known years, and the year that was the first before New Year. */
const MAX_CACHED = 26 * 26 * 14;

/** The public holidays of a country in a year, in order, without overrides. */
export type HolidayLibrary = (country: string, year: number) => Promise<readonly Holiday[]>;

/** Computes each country and year once: who asks for it meanwhile waits for the same result. */
export function cachedHolidays(compute: HolidayLibrary): HolidayLibrary {
  const cache = new LRUCache<string, Promise<readonly Holiday[]>>({ max: MAX_CACHED });
  return (country, year) => {
    const key = `${country} ${year}`;
    const known = cache.get(key);
    if (known) return known;
    const computed = compute(country, year);
    cache.set(key, computed);
    // A failure is the callers', not that of the calls after them.
    computed.catch(() => cache.get(key) === computed && cache.delete(key));
    return computed;
  };
}

/** Those of this process, which all its calendars share. */
export const libraryHolidays = cachedHolidays(holidayThread().compute);
