import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DayOfWeek,
  isOpenDuring,
  type OpeningHours,
  openPeriods,
} from '../src/domain/opening-hours.ts';
import { luxonOpenPeriods } from './luxon-opening-hours.ts';

const DAYS: DayOfWeek[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];
const HOUR_MS = 3_600_000;
const always: OpeningHours[] = DAYS.map((day) => ({ day, opens: '00:00', closes: '24:00' }));
const on = (day: DayOfWeek, opens: string, closes: string): OpeningHours => ({
  day,
  opens,
  closes,
});

/** `2030-03-10T07:00Z`, as short as the instant allows. */
const text = (instant: Date) => instant.toISOString().replace(/:00\.000Z$/, 'Z');
function open(hours: OpeningHours[], zone: string, from: string, to: string): string[] {
  return openPeriods(hours, zone, new Date(from), new Date(to)).map(
    ({ startAt, endAt }) => `${text(startAt)} ${text(endAt)}`,
  );
}

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
      expect(open([hours], newYork, from, to)).toEqual(expected);
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
    expect(open([on('SUNDAY', opens, closes)], 'Europe/Berlin', from, to)).toEqual([expected]);
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
  ])('that never close are one period from %s to %s in any zone', (from, to) => {
    for (const zone of [
      'America/New_York',
      'Europe/Berlin',
      'Asia/Seoul',
      'Australia/Lord_Howe',
      'UTC',
    ]) {
      expect(open(always, zone, from, to)).toEqual([`${from} ${to}`]);
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
    text(new Date(Date.parse(instant) + hours * HOUR_MS));

  test.each(skips)(
    'in $zone: a day that opens at 00:00 opens as the clocks skip',
    ({ zone, skip, day, ten }) => {
      const hours = [on(day, '00:00', '10:00')];
      expect(open(hours, zone, around(skip, -30), around(skip, 60))).toEqual([`${skip} ${ten}`]);
    },
  );

  test.each(skips)(
    'in $zone: the day before closes at 24:00 as the clocks skip',
    ({ zone, skip, day }) => {
      const before = DAYS[(DAYS.indexOf(day) + 6) % 7] as DayOfWeek;
      const hours = [on(before, '23:00', '24:00')];
      expect(open(hours, zone, around(skip, -12), around(skip, 60))).toEqual([
        `${around(skip, -1)} ${skip}`,
      ]);
    },
  );

  test.each(skips)(
    'in $zone: what never closes stays open over it, from wherever one looks',
    ({ zone, skip }) => {
      for (const hours of [-24, -1, 0, 1, 23]) {
        const [from, to] = [around(skip, hours), around(skip, hours + 72)];
        expect(open(always, zone, from, to)).toEqual([`${from} ${to}`]);
      }
    },
  );

  test('in Havana midnight comes twice in autumn and the day is one of 25 h', () => {
    const from = '2024-11-02T12:00Z';
    const to = '2024-11-05T12:00Z';
    expect(open([on('SUNDAY', '00:00', '24:00')], 'America/Havana', from, to)).toEqual([
      '2024-11-03T04:00Z 2024-11-04T05:00Z',
    ]);
    expect(open(always, 'America/Havana', from, to)).toEqual([`${from} ${to}`]);
  });

  test('on Samoa the Friday that the calendar skipped has no hours', () => {
    const [from, to] = ['2011-12-29T10:00Z', '2011-12-31T10:00Z'];
    expect(open([on('FRIDAY', '00:00', '24:00')], 'Pacific/Apia', from, to)).toEqual([]);
    expect(open(always, 'Pacific/Apia', from, to)).toEqual([`${from} ${to}`]);
  });
});

describe('open periods', () => {
  const seoul = 'Asia/Seoul';
  // Monday 2030-06-03 in Seoul starts at 15:00 UTC of the day before.
  const week = ['2030-06-02T15:00Z', '2030-06-09T15:00Z'] as const;

  test('that meet at midnight are one', () => {
    const night = [on('FRIDAY', '20:00', '24:00'), on('SATURDAY', '00:00', '04:00')];
    expect(open(night, seoul, ...week)).toEqual(['2030-06-07T11:00Z 2030-06-07T19:00Z']);
  });

  test('that meet at midnight from Sunday to Monday are one', () => {
    const night = [on('SUNDAY', '22:00', '24:00'), on('MONDAY', '00:00', '02:00')];
    expect(open(night, seoul, '2030-06-02T00:00Z', '2030-06-03T00:00Z')).toEqual([
      '2030-06-02T13:00Z 2030-06-02T17:00Z',
    ]);
  });

  test('that end at 23:59 do not meet the next day', () => {
    const almost = [on('FRIDAY', '20:00', '23:59'), on('SATURDAY', '00:00', '04:00')];
    expect(open(almost, seoul, ...week)).toHaveLength(2);
  });

  test('leave out the lunch break, in whatever order they are written', () => {
    const lunch = [on('MONDAY', '13:00', '18:00'), on('MONDAY', '09:00', '12:00')];
    expect(open(lunch, seoul, ...week)).toEqual([
      '2030-06-03T00:00Z 2030-06-03T03:00Z',
      '2030-06-03T04:00Z 2030-06-03T09:00Z',
    ]);
  });

  test('are cut to what was asked for', () => {
    const hours = [on('MONDAY', '09:00', '18:00')];
    expect(open(hours, seoul, '2030-06-03T02:30Z', '2030-06-03T05:00Z')).toEqual([
      '2030-06-03T02:30Z 2030-06-03T05:00Z',
    ]);
  });

  test('that only touch what was asked for are left out', () => {
    const hours = [on('MONDAY', '09:00', '18:00')];
    expect(open(hours, seoul, '2030-06-03T09:00Z', '2030-06-03T12:00Z')).toEqual([]);
    expect(open(hours, seoul, '2030-06-02T22:00Z', '2030-06-03T00:00Z')).toEqual([]);
  });

  test('hold an instant exactly when the wall clock says that the space is open', () => {
    const zones = [
      ...['America/New_York', 'Europe/Berlin', 'Asia/Seoul', 'America/Havana', 'Asia/Kathmandu'],
      ...['Africa/Cairo', 'America/Sao_Paulo', 'America/Asuncion', 'Pacific/Apia', 'Asia/Beirut'],
    ];
    const hour = (value: number) => `${String(value).padStart(2, '0')}:00`;
    const entry = fc
      .tuple(fc.constantFrom(...DAYS), fc.nat(23), fc.integer({ min: 1, max: 24 }))
      .map(([day, opens, length]) => on(day, hour(opens), hour(Math.min(24, opens + length))));
    const instants = fc
      .integer({ min: Date.UTC(2008, 0) / 60_000, max: Date.UTC(2035, 0) / 60_000 })
      .map((minute) => new Date(minute * 60_000));
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(entry, { minLength: 1, maxLength: 9 }),
        instants,
        (zone, hours, instant) => {
          const clock = new Intl.DateTimeFormat('en-GB', {
            timeZone: zone,
            weekday: 'long',
            hour: '2-digit',
            minute: '2-digit',
            hourCycle: 'h23',
          });
          const periods = openPeriods(
            hours,
            zone,
            instant,
            new Date(instant.getTime() + 36 * HOUR_MS),
          );
          for (let step = 0; step < 36; step += 1) {
            const moment = new Date(instant.getTime() + step * HOUR_MS);
            const parts = Object.fromEntries(
              clock.formatToParts(moment).map(({ type, value }) => [type, value]),
            );
            const wall = `${parts.hour}:${parts.minute}`;
            const says = hours.some(
              ({ day, opens, closes }) =>
                day === parts.weekday?.toUpperCase() && opens <= wall && wall < closes,
            );
            const holds = periods.some(({ startAt, endAt }) => startAt <= moment && moment < endAt);
            expect({ zone, moment, open: holds }).toEqual({ zone, moment, open: says });
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('open periods equal those of luxon in all zones, for any hours and range', () => {
  const wallClock = fc
    .integer({ min: 0, max: 24 * 60 })
    .map((minutes) =>
      [Math.floor(minutes / 60), minutes % 60]
        .map((part) => String(part).padStart(2, '0'))
        .join(':'),
    );
  const entry = fc
    .tuple(fc.constantFrom(...DAYS), wallClock, wallClock)
    .filter(([, one, other]) => one !== other)
    .map(([day, ...times]) => on(day, ...(times.sort() as [string, string])));
  const instants = fc.integer({ min: Date.UTC(2012, 0), max: Date.UTC(2060, 0) });
  const days = fc.integer({ min: 1, max: 31 * 24 * HOUR_MS });
  fc.assert(
    fc.property(
      fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
      fc.array(entry, { maxLength: 12 }),
      instants,
      days,
      (zone, hours, start, length) => {
        const range = [new Date(start), new Date(start + length)] as const;
        expect(openPeriods(hours, zone, ...range)).toEqual(luxonOpenPeriods(hours, zone, ...range));
      },
    ),
    { numRuns: 1_500 },
  );
}, 60_000);

describe('a slot', () => {
  const weekdays = [
    on('MONDAY', '09:00', '12:00'),
    on('MONDAY', '13:00', '18:00'),
    on('TUESDAY', '00:00', '24:00'),
    on('WEDNESDAY', '00:00', '24:00'),
  ];
  const isOpen = (from: string, to: string, zone = 'Asia/Seoul', hours = weekdays) =>
    isOpenDuring({ startAt: new Date(from), endAt: new Date(to) }, hours, zone);

  test.each([
    ['inside', '2030-06-03T01:00Z', '2030-06-03T02:00Z', true],
    ['from opening to closing', '2030-06-03T00:00Z', '2030-06-03T03:00Z', true],
    ['a millisecond early', '2030-06-02T23:59:59.999Z', '2030-06-03T03:00Z', false],
    ['a millisecond late', '2030-06-03T00:00Z', '2030-06-03T03:00:00.001Z', false],
    ['over the lunch break', '2030-06-03T02:00Z', '2030-06-03T05:00Z', false],
    ['in the lunch break', '2030-06-03T03:00Z', '2030-06-03T04:00Z', false],
    ['over two open days', '2030-06-03T15:00Z', '2030-06-05T15:00Z', true],
    [
      'over two open days and on into a closed one',
      '2030-06-03T15:00Z',
      '2030-06-05T16:00Z',
      false,
    ],
    ['on a closed day', '2030-06-06T01:00Z', '2030-06-06T02:00Z', false],
  ])('%s is bookable as the hours say', (_name, from, to, expected) => {
    expect(isOpen(from, to)).toBe(expected);
  });

  test('of a month is bookable where a space never closes, also where clocks change', () => {
    expect(isOpen('2030-03-01T00:00Z', '2030-04-01T00:00Z', 'America/New_York', always)).toBe(true);
    expect(isOpen('2030-10-20T00:00Z', '2030-11-20T00:00Z', 'America/New_York', always)).toBe(true);
  });
});
