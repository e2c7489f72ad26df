import { describe, expect, test } from '@jest/globals';
import { bookablePeriods } from '../../src/domain/bookable-periods.ts';
import { findSlotProblem } from '../../src/domain/booking-rules.ts';
import type { BookingRules, CatalogueSpace } from '../../src/domain/catalogue-space.ts';
import { aSpace } from '../a-booking.ts';
import { ALWAYS } from '../opening-hours/hours.ts';

const NOW = new Date('2030-06-03T00:10:00Z');

function aSpaceWith(rules: Partial<BookingRules>, changes: Partial<CatalogueSpace> = {}) {
  return aSpace({ bookingRules: { ...aSpace().bookingRules, ...rules }, ...changes });
}

/** Times of 3 June 2030 in UTC, nine hours behind Seoul. */
function problemOf(from: string, to: string, space = aSpace(), now = NOW) {
  const at = (text: string) => new Date(text.includes('-') ? text : `2030-06-03T${text}Z`);
  return findSlotProblem({ startAt: at(from), endAt: at(to) }, space, now);
}

describe('a slot', () => {
  test('a slot on the grid within the hours has no problem', () => {
    expect(problemOf('01:00', '03:30')).toBeUndefined();
  });

  test.each([
    ['that ends as it starts', '01:00', '01:00', {}, 'slot.endAt'],
    ['that is over', '2030-06-02T01:00Z', '2030-06-02T02:00Z', {}, 'slot.startAt'],
    ['that starts between two times of the grid', '01:10', '02:00', {}, 'slot.startAt'],
    ['that ends between two times of the grid', '01:00', '02:10', {}, 'slot.endAt'],
    ['that starts a second late', '01:00:01', '02:00', {}, 'slot.startAt'],
    ['that starts a millisecond late', '01:00:00.001', '02:00', {}, 'slot.startAt'],
    ['that is too short', '01:00', '01:30', { minMinutes: 31 }, 'slot'],
    ['that is too long', '01:00', '03:00', { maxMinutes: 119 }, 'slot'],
    ['within the notice', '01:00', '03:00', { minNoticeMinutes: 51 }, 'slot.startAt'],
    [
      'after the horizon',
      '2030-06-05T00:30Z',
      '2030-06-05T01:00Z',
      { maxAdvanceDays: 2 },
      'slot.startAt',
    ],
  ] as [string, string, string, Partial<BookingRules>, string][])(
    'a slot %s is refused',
    (_name, from, to, rules, field) => {
      expect(problemOf(from, to, aSpaceWith(rules))?.field).toBe(field);
    },
  );

  test.each([
    ['exactly as short as permitted', '01:00', '01:30', { minMinutes: 30 }],
    ['exactly as long as permitted', '01:00', '03:00', { maxMinutes: 120 }],
    ['exactly at the end of the notice', '01:00', '03:00', { minNoticeMinutes: 50 }],
    [
      'that ends after the horizon',
      '2030-06-05T00:00Z',
      '2030-06-05T09:00Z',
      { maxAdvanceDays: 2 },
    ],
  ] as [string, string, string, Partial<BookingRules>][])(
    'a slot %s is accepted',
    (_name, from, to, rules) => {
      expect(problemOf(from, to, aSpaceWith(rules))).toBeUndefined();
    },
  );

  test('a slot that starts exactly at the horizon is accepted, and a step later it is not', () => {
    const now = new Date('2030-06-03T00:00:00Z');
    const space = aSpaceWith({ maxAdvanceDays: 2 });
    expect(problemOf('2030-06-05T00:00Z', '2030-06-05T01:00Z', space, now)).toBeUndefined();
    expect(problemOf('2030-06-05T00:30Z', '2030-06-05T01:00Z', space, now)?.field).toBe(
      'slot.startAt',
    );
  });

  test('a slot is refused by the days of the wall clock where clocks change before the horizon', () => {
    const space = aSpaceWith({ maxAdvanceDays: 1 }, { timeZone: 'Europe/Berlin' });
    const now = new Date('2030-03-30T11:00:00Z');
    // Noon in Berlin on both days, 23 hours apart.
    expect(problemOf('2030-03-31T10:00Z', '2030-03-31T11:00Z', space, now)).toBeUndefined();
    expect(problemOf('2030-03-31T10:30Z', '2030-03-31T11:00Z', space, now)?.field).toBe(
      'slot.startAt',
    );
  });

  test('a slot off the grid is refused with the grid and the nearest times by the wall clock', () => {
    expect(problemOf('01:10', '02:00')?.message).toBe(
      'Bookings of Loft start and end every 30 min from midnight (Asia/Seoul): ' +
        'the nearest times are 2030-06-03T10:00:00+09:00 and 2030-06-03T10:30:00+09:00.',
    );
  });

  test('a slot too early or too late is refused with the instant from or by which it may start', () => {
    expect(problemOf('01:00', '03:00', aSpaceWith({ minNoticeMinutes: 150 }))?.message).toBe(
      'Loft is booked at least 2 h 30 min ahead: the slot must start from 2030-06-03T11:40:00+09:00 on.',
    );
    const late = ['2030-06-05T00:30Z', '2030-06-05T01:00Z'] as const;
    expect(problemOf(...late, aSpaceWith({ maxAdvanceDays: 1 }))?.message).toBe(
      'Loft is booked at most 1 d ahead: the slot must start by 2030-06-04T09:10:00+09:00.',
    );
  });

  test('a slot is on the grid of its own zone, where the offset is no multiple of the step', () => {
    const space = aSpaceWith({ stepMinutes: 60 }, { timeZone: 'Asia/Kathmandu' });
    expect(problemOf('01:15', '02:15', space)).toBeUndefined();
    expect(problemOf('01:00', '02:00', space)?.field).toBe('slot.startAt');
  });

  test('a slot of the longest length that a host may set is limited to 31 days', () => {
    const space = aSpaceWith({ maxMinutes: 1_000_000 });
    expect(problemOf('01:00', '2030-07-04T01:00Z', space)).toBeUndefined();
    expect(problemOf('01:00', '2030-07-04T01:30Z', space)?.message).toBe(
      'Loft is booked for at most 31 d.',
    );
  });

  test.each([
    ['PAUSED', 'Loft takes no bookings at present.'],
    ['ARCHIVED', 'Loft takes no bookings any more.'],
  ] as const)('a slot of a space that is %s is refused', (state, message) => {
    expect(problemOf('01:00', '02:00', aSpace({ state }))).toEqual({ field: 'spaceId', message });
  });

  test.each(['0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z'])(
    'a slot at the end of the calendar is refused like any other: %s',
    (text) => {
      expect(problemOf(text, '9999-12-31T23:59:59.999Z')?.field).toMatch(/^slot/);
    },
  );
});

describe('an opening exception', () => {
  const exceptionOn = (date: string, ...hours: [opens: string, closes: string][]) =>
    aSpace({
      openingHours: ALWAYS,
      openingExceptions: [
        { date, hours: hours.map(([opens, closes]) => ({ opens, closes })), reason: 'repairs' },
      ],
    });

  test('an opening exception without hours closes its date, by the calendar of the zone', () => {
    const space = exceptionOn('2030-06-04');
    expect(problemOf('13:00', '15:00', space)).toBeUndefined();
    expect(problemOf('13:00', '15:30', space)?.field).toBe('slot');
    expect(problemOf('2030-06-04T14:30Z', '2030-06-04T15:30Z', space)?.field).toBe('slot');
    expect(problemOf('2030-06-04T15:00Z', '2030-06-04T16:00Z', space)).toBeUndefined();
  });

  test('an opening exception replaces the hours of its date, also where the week has none', () => {
    const space = {
      ...exceptionOn('2030-06-04', ['13:00', '15:00'], ['09:00', '10:00']),
      openingHours: [],
    };
    const from = new Date('2030-06-03T00:00Z');
    const to = new Date('2030-06-10T00:00Z');
    expect(bookablePeriods(space, from, to, NOW, [])).toEqual([
      { startAt: new Date('2030-06-04T00:00Z'), endAt: new Date('2030-06-04T01:00Z') },
      { startAt: new Date('2030-06-04T04:00Z'), endAt: new Date('2030-06-04T06:00Z') },
    ]);
  });
});

describe('bookable periods', () => {
  const day = ['2030-06-03T01:00Z', '2030-06-03T09:00Z'].map((text) => new Date(text)) as [
    Date,
    Date,
  ];
  const at = (time: string) => new Date(`2030-06-03T${time}Z`);
  const hold = { startAt: at('04:00'), endAt: at('05:00') };

  test('bookable periods keep their own buffers to the holds', () => {
    const space = aSpaceWith({ bufferBeforeMinutes: 10, bufferAfterMinutes: 40 });
    expect(bookablePeriods(space, ...day, NOW, [hold])).toEqual([
      { startAt: at('01:00'), endAt: at('03:00') },
      { startAt: at('05:30'), endAt: at('09:00') },
    ]);
  });

  test('bookable periods are left out where no permitted length fits', () => {
    const space = aSpaceWith({ minMinutes: 200 });
    expect(bookablePeriods(space, ...day, NOW, [hold])).toEqual([
      { startAt: at('05:00'), endAt: at('09:00') },
    ]);
  });

  test('bookable periods end at the horizon', () => {
    const space = aSpaceWith({ maxAdvanceDays: 1 });
    const now = new Date('2030-06-02T06:10Z');
    expect(bookablePeriods(space, ...day, now, [])).toEqual([
      { startAt: at('01:00'), endAt: at('06:00') },
    ]);
  });

  test.each(['PAUSED', 'ARCHIVED'] as const)(
    'a space that is %s has no bookable periods',
    (state) => {
      expect(bookablePeriods(aSpace({ state }), ...day, NOW, [])).toEqual([]);
    },
  );
});
