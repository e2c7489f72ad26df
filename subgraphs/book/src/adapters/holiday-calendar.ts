import { LRUCache } from 'lru-cache';
import { v5 as uuidv5 } from 'uuid';
import { namedStatement } from '#platform/database/named-statement.ts';
import type { Pool } from '#platform/database/postgres.ts';
import { insertAuditEntry, newAuditEntry } from '#platform/operator/audit.ts';
import { type HolidayOverride, withOverrides } from '../domain/public-holidays.ts';
import type { HolidayCalendar } from '../ports.ts';
import { type HolidayLibrary, libraryHolidays } from './library-holidays.ts';

/** How long other processes may not see an override that was just set. */
const OVERRIDES_TTL_MS = 5_000;
const MAX_COUNTRIES = 300;
/** What the ids of overrides in the audit log are made in; an id names the country and the date. */
const OVERRIDE_IDS = '6f2b1d0e-5f0c-4a55-9a5e-0d8c5f3b7a10';

const readOverrides = namedStatement<HolidayOverride, 'country'>(
  'holiday-overrides',
  `SELECT to_char(date, 'YYYY-MM-DD') AS date, name, is_holiday AS "isHoliday"
     FROM holiday_override WHERE country = :country`,
);

// The limit may be passed by as many as set one at the same instant: it only bounds what is read.
const setOverride = namedStatement<
  { isSet: boolean },
  'country' | 'date' | 'name' | 'isHoliday' | 'max' | 'audit'
>(
  'holiday-override-set',
  `WITH changed AS (
     INSERT INTO holiday_override (country, date, name, is_holiday)
     SELECT :country, :date::date, :name, :isHoliday::boolean
      WHERE (SELECT count(*) FROM holiday_override WHERE country = :country AND date <> :date::date) < :max::int
     ON CONFLICT (country, date) DO UPDATE
       SET name = excluded.name, is_holiday = excluded.is_holiday, changed_at = now()
     RETURNING 1
   ), audited AS (${insertAuditEntry(':audit', 'EXISTS (SELECT FROM changed)')})
   SELECT EXISTS (SELECT FROM changed) AS "isSet"`,
);

/**
 * The library's public holidays with the operators' overrides, which are cached for a moment, by a
 * clock in milliseconds.
 */
export function holidayCalendar(
  pool: Pool,
  clock: () => number = () => performance.now(),
  library: HolidayLibrary = libraryHolidays,
): HolidayCalendar {
  const cache = new LRUCache<string, Promise<HolidayOverride[]>>({
    max: MAX_COUNTRIES,
    ttl: OVERRIDES_TTL_MS,
    ttlResolution: 0,
    perf: { now: clock },
  });

  function overridesOf(country: string): Promise<HolidayOverride[]> {
    const known = cache.get(country);
    if (known) return known;
    const read = readOverrides(pool, { country });
    cache.set(country, read);
    // A failure is the callers', not that of the calls after them.
    read.catch(() => cache.get(country) === read && cache.delete(country));
    return read;
  }

  async function ofYear(country: string, year: number) {
    const [holidays, overrides] = await Promise.all([library(country, year), overridesOf(country)]);
    return withOverrides(
      holidays,
      overrides.filter(({ date }) => date.startsWith(`${year}-`)),
    );
  }

  return {
    ofYear,
    async between(country, firstDate, lastDate) {
      const dates = new Set<string>();
      for (let year = yearOf(firstDate); year <= yearOf(lastDate); year += 1) {
        for (const { date } of await ofYear(country, year)) {
          if (firstDate <= date && date <= lastDate) dates.add(date);
        }
      }
      return dates;
    },
    async set(country, override, max, by) {
      const audit = newAuditEntry({
        userId: by.userId,
        actedAs: by.role,
        action: 'setHoliday',
        subjectType: 'holiday',
        subjectId: uuidv5(`${country} ${override.date}`, OVERRIDE_IDS),
        details: { country, ...override },
      });
      const { date, name, isHoliday } = override;
      const values = { country, date, name, isHoliday, max, audit: JSON.stringify(audit) };
      const [row] = await setOverride(pool, values);
      cache.delete(country);
      return row?.isSet === true;
    },
  };
}

const yearOf = (date: string) => Number(date.slice(0, 4));
