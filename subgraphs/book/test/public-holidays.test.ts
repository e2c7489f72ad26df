import { describe, expect, test } from '@jest/globals';
import { computeHolidays } from '../src/adapters/compute-holidays.ts';
import { koreanHolidays } from '../src/domain/korean-holidays.ts';
import { withOverrides } from '../src/domain/public-holidays.ts';

function datesOf(country: string, year: number): string[] {
  return computeHolidays(country, year).map(({ date }) => date.slice(5));
}

describe('the public holidays of Korea', () => {
  // As published by the Korea Astronomy and Space Science Institute, with the laws of 2026.
  test('the public holidays of Korea in 2026 are the official ones', () => {
    expect(datesOf('KR', 2026)).toEqual([
      ...['01-01', '02-16', '02-17', '02-18', '03-01', '03-02', '05-01', '05-05', '05-24', '05-25'],
      ...['06-03', '06-06', '07-17', '08-15', '08-17', '09-24', '09-25', '09-26', '10-03', '10-05'],
      ...['10-09', '12-25'],
    ]);
  });

  test('the public holidays of Korea in 2027 are the official ones', () => {
    expect(datesOf('KR', 2027)).toEqual([
      ...['01-01', '02-06', '02-07', '02-08', '02-09', '03-01', '05-01', '05-03', '05-05', '05-13'],
      ...['06-06', '07-17', '07-19', '08-15', '08-16', '09-14', '09-15', '09-16', '10-03', '10-04'],
      ...['10-09', '10-11', '12-25', '12-27'],
    ]);
  });

  test('holidays that share a weekday have one substitute day', () => {
    // Children's Day and Buddha's Birthday of 2025 fell on Monday 5 May.
    const lunar = { seollal: '2025-01-29', buddhasBirthday: '2025-05-05', chuseok: '2025-10-06' };
    const holidays = koreanHolidays(2025, lunar);
    expect(
      holidays.filter(({ date }) => date.startsWith('2025-05')).map(({ date }) => date),
    ).toEqual([...['2025-05-05', '2025-05-06']]);
    expect(holidays.find(({ date }) => date === '2025-05-05')?.name).toBe(
      '어린이날, 부처님 오신 날',
    );
    // The day before Chuseok was a Sunday; the days up to the eighth are taken.
    expect(holidays.find(({ name }) => name === '추석 대체공휴일')?.date).toBe('2025-10-08');
    // Labour Day and Constitution Day were none yet.
    expect(holidays.map(({ date }) => date)).not.toContain('2025-05-01');
    expect(holidays.map(({ date }) => date)).not.toContain('2025-07-17');
  });

  test('Chuseok on another holiday has one substitute day', () => {
    // Chuseok of 2028 is 3 October, National Foundation Day.
    const october = datesOf('KR', 2028).filter((date) => date.startsWith('10'));
    expect(october).toEqual(['10-02', '10-03', '10-04', '10-05', '10-09']);
  });

  test('substitute days that would meet follow each other', () => {
    // Chuseok of 2036 is Saturday 4 October; the day before is National Foundation Day, the day after a Sunday.
    const october = datesOf('KR', 2036).filter((date) => date.startsWith('10'));
    expect(october).toEqual(['10-03', '10-04', '10-05', '10-06', '10-07', '10-09']);
  });

  test('every tenth year of the century has the holidays of the moon in their seasons', () => {
    for (let year = 2000; year <= 2100; year += 10) {
      const holidays = computeHolidays('KR', year);
      const dateOf = (name: string) =>
        holidays.find((holiday) => holiday.name === name)?.date ?? '';
      expect(dateOf('설날') >= `${year}-01-20` && dateOf('설날') <= `${year}-02-21`).toBe(true);
      expect(dateOf('추석') >= `${year}-09-07` && dateOf('추석') <= `${year}-10-09`).toBe(true);
    }
  }, 60_000);
});

describe('the public holidays of other countries', () => {
  test('the public holidays of Germany in 2027 are the nationwide ones', () => {
    expect(datesOf('DE', 2027)).toEqual([
      ...['01-01', '03-26', '03-29', '05-01', '05-06', '05-17', '10-03', '12-25', '12-26'],
    ]);
  });

  test('each date of a public holiday of several days is one', () => {
    const spring = datesOf('CN', 2027).filter((date) => date.startsWith('02'));
    expect(spring.length).toBeGreaterThanOrEqual(3);
    expect(new Set(spring).size).toBe(spring.length);
  });

  test.each([
    ['XX', 2027],
    ['toString', 2027],
  ])('there are no known public holidays of %s in %d', (country, year) => {
    expect(computeHolidays(country, year)).toEqual([]);
  });
});

describe('overrides of holidays', () => {
  test('overrides add, remove and rename holidays', () => {
    const holidays = [
      { date: '2027-01-01', name: 'New Year' },
      { date: '2027-03-01', name: 'March' },
    ];
    const overrides = [
      { date: '2027-03-01', name: 'March', isHoliday: false },
      { date: '2027-02-01', name: 'Election', isHoliday: true },
      { date: '2027-01-01', name: 'First day', isHoliday: true },
      { date: '2027-05-01', name: 'None anyway', isHoliday: false },
    ];
    expect(withOverrides(holidays, overrides)).toEqual([
      { date: '2027-01-01', name: 'First day' },
      { date: '2027-02-01', name: 'Election' },
    ]);
  });
});
