import { describe, expect, test } from '@jest/globals';
import { type DayOfWeek, type OpeningHours, openPeriods } from '../../src/domain/opening-hours.ts';
import { ALWAYS, DAYS, HOUR_MS, on, openTexts, toText } from './hours.ts';

describe('opening hours where clocks change', () => {
  const newYork = 'America/New_York';
  const spring = ['2030-03-10T05:00Z', '2030-03-11T04:00Z'] as const;
  const autumn = ['2030-11-03T04:00Z', '2030-11-04T05:00Z'] as const;

  test.each([
    // Clocks skip from 02:00 to 03:00.
    [
      'the whole day of 23 h',
      spring,
      on('SUNDAY', '00:00', '24:00'),
      ['2030-03-10T05:00Z 2030-03-11T04:00Z'],
    ],
    [
      'four hours by the clock are three',
      spring,
      on('SUNDAY', '01:00', '05:00'),
      ['2030-03-10T06:00Z 2030-03-10T09:00Z'],
    ],
    [
      'opening at a skipped time is the skip',
      spring,
      on('SUNDAY', '02:30', '05:00'),
      ['2030-03-10T07:00Z 2030-03-10T09:00Z'],
    ],
    [
      'closing at a skipped time is the skip',
      spring,
      on('SUNDAY', '00:00', '02:30'),
      ['2030-03-10T05:00Z 2030-03-10T07:00Z'],
    ],
    ['hours inside the skip are none', spring, on('SUNDAY', '02:15', '02:45'), []],
    [
      'opening as clocks skip',
      spring,
      on('SUNDAY', '02:00', '04:00'),
      ['2030-03-10T07:00Z 2030-03-10T08:00Z'],
    ],
    [
      'the day before is as ever',
      ['2030-03-09T05:00Z', '2030-03-10T05:00Z'],
      on('SATURDAY', '02:30', '05:00'),
      ['2030-03-09T07:30Z 2030-03-09T10:00Z'],
    ],
    // Clocks go from 02:00 back to 01:00.
    [
      'the whole day of 25 h',
      autumn,
      on('SUNDAY', '00:00', '24:00'),
      ['2030-11-03T04:00Z 2030-11-04T05:00Z'],
    ],
    [
      'five hours by the clock are six',
      autumn,
      on('SUNDAY', '00:00', '05:00'),
      ['2030-11-03T04:00Z 2030-11-03T10:00Z'],
    ],
    [
      'opening at a time that comes twice is the first',
      autumn,
      on('SUNDAY', '01:30', '03:00'),
      ['2030-11-03T05:30Z 2030-11-03T08:00Z'],
    ],
    [
      'opening after the repeated hour',
      autumn,
      on('SUNDAY', '02:00', '03:00'),
      ['2030-11-03T07:00Z 2030-11-03T08:00Z'],
    ],
  ] as [string, readonly [string, string], OpeningHours, string[]][])(
    'in New York: %s',
    (_name, [from, to], hours, expected) => {
      expect(openTexts([hours], newYork, from, to)).toEqual(expected);
    },
  );

  test.each([
    [
      'forward',
      '2030-03-30T23:00Z',
      '2030-03-31T22:00Z',
      '02:30',
      '04:00',
      '2030-03-31T01:00Z 2030-03-31T02:00Z',
    ],
    [
      'back',
      '2030-10-26T22:00Z',
      '2030-10-27T23:00Z',
      '01:00',
      '04:00',
      '2030-10-26T23:00Z 2030-10-27T03:00Z',
    ],
  ])('in Berlin: %s', (_name, from, to, opens, closes, expected) => {
    expect(openTexts([on('SUNDAY', opens, closes)], 'Europe/Berlin', from, to)).toEqual([expected]);
  });

  test('in Seoul every day of a year has the same hours', () => {
    const nine = DAYS.map((day) => on(day, '09:00', '18:00'));
    const year = openPeriods(
      nine,
      'Asia/Seoul',
      new Date('2029-12-31T15:00Z'),
      new Date('2030-12-31T15:00Z'),
    );
    expect(year).toHaveLength(365);
    for (const { startAt, endAt } of year) {
      expect(startAt.toISOString()).toMatch(/T00:00:00.000Z$/);
      expect(endAt.getTime() - startAt.getTime()).toBe(9 * HOUR_MS);
    }
  });

  test.each([
    ['2030-03-01T00:00Z', '2030-04-15T00:00Z'],
    ['2030-10-15T00:00Z', '2030-11-15T00:00Z'],
  ])('hours that never close are one period from %s to %s in any zone', (from, to) => {
    for (const zone of [
      'America/New_York',
      'Europe/Berlin',
      'Asia/Seoul',
      'Australia/Lord_Howe',
      'UTC',
    ]) {
      expect(openTexts(ALWAYS, zone, from, to)).toEqual([`${from} ${to}`]);
    }
  });
});

describe('opening hours where clocks skip midnight', () => {
  // Past changes: a government may abolish future ones, and tz data would follow.
  const skips: { zone: string; skip: string; day: DayOfWeek; ten: string }[] = [
    {
      zone: 'America/Sao_Paulo',
      skip: '2018-11-04T03:00Z',
      day: 'SUNDAY',
      ten: '2018-11-04T12:00Z',
    },
    {
      zone: 'America/Asuncion',
      skip: '2024-10-06T04:00Z',
      day: 'SUNDAY',
      ten: '2024-10-06T13:00Z',
    },
    { zone: 'America/Havana', skip: '2024-03-10T05:00Z', day: 'SUNDAY', ten: '2024-03-10T14:00Z' },
    { zone: 'Africa/Cairo', skip: '2024-04-25T22:00Z', day: 'FRIDAY', ten: '2024-04-26T07:00Z' },
  ];
  const around = (instant: string, hours: number) =>
    toText(new Date(Date.parse(instant) + hours * HOUR_MS));

  test.each(skips)(
    'in $zone: a day that opens at 00:00 opens as the clocks skip',
    ({ zone, skip, day, ten }) => {
      const hours = [on(day, '00:00', '10:00')];
      expect(openTexts(hours, zone, around(skip, -30), around(skip, 60))).toEqual([
        `${skip} ${ten}`,
      ]);
    },
  );

  test.each(skips)(
    'in $zone: the day before closes at 24:00 as the clocks skip',
    ({ zone, skip, day }) => {
      const before = DAYS[(DAYS.indexOf(day) + 6) % 7] as DayOfWeek;
      const hours = [on(before, '23:00', '24:00')];
      expect(openTexts(hours, zone, around(skip, -12), around(skip, 60))).toEqual([
        `${around(skip, -1)} ${skip}`,
      ]);
    },
  );

  test.each(skips)(
    'in $zone: hours that never close are one period over the skip, for every range',
    ({ zone, skip }) => {
      for (const hours of [-24, -1, 0, 1, 23]) {
        const [from, to] = [around(skip, hours), around(skip, hours + 72)];
        expect(openTexts(ALWAYS, zone, from, to)).toEqual([`${from} ${to}`]);
      }
    },
  );

  test('in Havana midnight comes twice in autumn and the day is one of 25 h', () => {
    const from = '2024-11-02T12:00Z';
    const to = '2024-11-05T12:00Z';
    expect(openTexts([on('SUNDAY', '00:00', '24:00')], 'America/Havana', from, to)).toEqual([
      '2024-11-03T04:00Z 2024-11-04T05:00Z',
    ]);
    expect(openTexts(ALWAYS, 'America/Havana', from, to)).toEqual([`${from} ${to}`]);
  });

  test('on Samoa the Friday that the calendar skipped has no hours', () => {
    const [from, to] = ['2011-12-29T10:00Z', '2011-12-31T10:00Z'];
    expect(openTexts([on('FRIDAY', '00:00', '24:00')], 'Pacific/Apia', from, to)).toEqual([]);
    expect(openTexts(ALWAYS, 'Pacific/Apia', from, to)).toEqual([`${from} ${to}`]);
  });
});
