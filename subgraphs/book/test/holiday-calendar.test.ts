import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { computeHolidays } from '../src/adapters/compute-holidays.ts';
import { holidayCalendar } from '../src/adapters/holiday-calendar.ts';
import { holidayResolvers } from '../src/adapters/holiday-resolvers.ts';
import { cachedHolidays } from '../src/adapters/library-holidays.ts';
import { quotePrice } from '../src/application/quote-price.ts';
import { setHoliday } from '../src/application/set-holiday.ts';
import type { BookPorts, HolidayCalendar } from '../src/ports.ts';
import { aSpace, NOW } from './a-booking.ts';

const OPERATOR = { userId: 'olga', role: 'operator' } as const;

const library = cachedHolidays(async (country, year) => computeHolidays(country, year));
const clock = () => NOW;
const realTime = () => performance.now();

let database: TestDatabase;
let holidays: HolidayCalendar;

beforeAll(async () => {
  database = await createDatabase('book');
  holidays = holidayCalendar(database.pool, realTime, library);
});
afterAll(() => database?.drop());

const set = (country: string, date: string, isHoliday: boolean, name = 'Election') =>
  setHoliday({ holidays, clock }, { country, date, name, isHoliday }, OPERATOR);

const datesOf = async (country: string, year: number, calendar = holidays) =>
  (await calendar.ofYear(country, year)).map(({ date }) => date);

/** What an hour costs at 10:00 in Seoul where holidays cost twice as much. */
async function priceOn(date: string, calendar = holidays): Promise<number> {
  const space = aSpace({
    holidayCountry: 'KR',
    bookingRules: { ...aSpace().bookingRules, maxAdvanceDays: 3_650 },
    priceRules: [
      {
        name: 'Holiday',
        days: null,
        onHolidays: true,
        from: null,
        to: null,
        firstDate: null,
        lastDate: null,
        hourlyRate: 60_000,
      },
    ],
  });
  const ports = { holidays: calendar, clock } as unknown as BookPorts;
  const startAt = new Date(`${date}T10:00:00+09:00`);
  const slot = { startAt, endAt: new Date(startAt.getTime() + 3_600_000) };
  const quote = await quotePrice(ports, space, { slot, headcount: 1, addOns: [] });
  if ('type' in quote) throw new Error(quote.message);
  return quote.total.amount;
}

describe('the calendar of holidays', () => {
  test('a quote charges the rate of holidays on a public holiday, and on no other date', async () => {
    expect(await priceOn('2030-10-09')).toBe(60_000);
    expect(await priceOn('2030-10-10')).toBe(30_000);
  });

  test('an override changes the dates of its country at once, and no other', async () => {
    const before = await datesOf('KR', 2031);
    expect(before).toContain('2031-03-01');
    const result = await set('KR', '2031-03-12', true);
    expect(result).toContainEqual({ date: '2031-03-12', name: 'Election' });
    expect(await priceOn('2031-03-12')).toBe(60_000);
    await set('KR', '2031-03-01', false);
    expect(await datesOf('KR', 2031)).toEqual(
      [...before.filter((date) => date !== '2031-03-01'), '2031-03-12'].sort(),
    );
    expect(await datesOf('JP', 2031)).not.toContain('2031-03-12');
    await set('KR', '2031-03-12', false);
    expect(await datesOf('KR', 2031)).toEqual(before.filter((date) => date !== '2031-03-01'));
  });

  test('an override is seen by another process after some seconds', async () => {
    let now = performance.now();
    const other = holidayCalendar(database.pool, () => now, library);
    expect(await priceOn('2032-02-04', other)).toBe(30_000);
    await set('KR', '2032-02-04', true);
    now += 4_000;
    expect(await priceOn('2032-02-04', other)).toBe(30_000);
    now += 2_000;
    expect(await priceOn('2032-02-04', other)).toBe(60_000);
  });

  test('the holidays between two dates are those of both years, and the dates are inclusive', async () => {
    const dates = await holidays.between('KR', '2028-12-25', '2029-01-01');
    expect([...dates]).toEqual(['2028-12-25', '2029-01-01']);
    expect([...(await holidays.between('KR', '2028-12-26', '2028-12-31'))]).toEqual([]);
  });

  test('a country without a calendar has the holidays that operators set', async () => {
    await set('AQ', '2031-06-21', true, 'Midwinter');
    expect(await holidays.ofYear('AQ', 2031)).toEqual([{ date: '2031-06-21', name: 'Midwinter' }]);
  });

  test('each override is in the audit log, those of one date under one subject', async () => {
    await set('FR', '2031-05-02', true, 'Bridge');
    await set('FR', '2031-05-02', false, 'Bridge');
    const { rows } = await database.pool.query(
      `SELECT user_id, acted_as, action, subject_id, details FROM audit_entry
        WHERE details->>'country' = 'FR' ORDER BY id`,
    );
    expect(rows.map(({ subject_id: _, ...row }) => row)).toEqual(
      [true, false].map((isHoliday) => ({
        user_id: 'olga',
        acted_as: 'operator',
        action: 'setHoliday',
        details: { country: 'FR', date: '2031-05-02', name: 'Bridge', isHoliday },
      })),
    );
    expect(new Set(rows.map((row) => row.subject_id)).size).toBe(1);
  });

  test('a country has at most 1000 overrides, and each of them may change still', async () => {
    await database.pool.query(
      `INSERT INTO holiday_override (country, date, name, is_holiday)
       SELECT 'NZ', '2040-01-01'::date + n, 'Day', true FROM generate_series(1, 1000) n`,
    );
    expect(await set('NZ', '2031-06-21', true)).toMatchObject({
      type: 'InvalidHoliday',
      field: 'country',
    });
    expect(await datesOf('NZ', 2031)).not.toContain('2031-06-21');
    await set('NZ', '2040-01-02', false);
    expect(await datesOf('NZ', 2040)).not.toContain('2040-01-02');
    const { rows } = await database.pool.query(
      `SELECT FROM audit_entry WHERE details->>'country' = 'NZ'`,
    );
    expect(rows).toHaveLength(1);
  });

  test.each([
    ['country', { country: 'kr' }],
    ['country', { country: 'KOR' }],
    ['date', { date: '0000-01-01' }],
    ['date', { date: '2028-12-31' }],
    ['date', { date: '2042-01-01' }],
    ['name', { name: '  ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\u0000b' }],
    ['name', { name: 'a\ud800b' }],
  ])('an override is refused for its %s: %j', async (field, changes) => {
    const usual = { country: 'KR', date: '2031-06-21', name: 'Election', isHoliday: true };
    expect(await setHoliday({ holidays, clock }, { ...usual, ...changes }, OPERATOR)).toMatchObject(
      {
        type: 'InvalidHoliday',
        field,
      },
    );
  });

  test('overrides that cannot be read fail the quote, and are read again by the next', async () => {
    let fails = true;
    const pool = new Proxy(database.pool, {
      get: (target, key) =>
        key === 'query' && fails
          ? () => Promise.reject(new Error('no database'))
          : Reflect.get(target, key).bind?.(target),
    });
    const calendar = holidayCalendar(pool, realTime, library);
    await expect(priceOn('2030-10-09', calendar)).rejects.toThrow('no database');
    fails = false;
    expect(await priceOn('2030-10-09', calendar)).toBe(60_000);
  });
});

describe('the fields about holidays', () => {
  test.each([
    ['country', 'Korea', 2027],
    ['year', 'KR', 2028],
    ['year', 'KR', 2042],
  ])('a query with an invalid %s is refused: %s, %d', (field, country, year) => {
    const { holidays: query } = holidayResolvers({ holidays, clock }).Query;
    expect(() => query(uuidv7(), { country, year })).toThrow(
      expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT', field } }),
    );
  });

  test('the years that are known are last year to eleven years ahead, and the message names them', async () => {
    const { holidays: query } = holidayResolvers({ holidays, clock }).Query;
    expect(await query(uuidv7(), { country: 'KR', year: 2029 })).not.toEqual([]);
    expect(await query(uuidv7(), { country: 'KR', year: 2041 })).not.toEqual([]);
    expect(() => query(uuidv7(), { country: 'KR', year: 2042 })).toThrow(
      'Write a year from 2029 to 2041.',
    );
  });
});
