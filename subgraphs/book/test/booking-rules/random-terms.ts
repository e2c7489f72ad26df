import fc from 'fast-check';
import type { SlotTerms } from '../../src/domain/booking-rules.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';
import { aSpace } from '../a-booking.ts';
import { ALWAYS, DAYS } from '../opening-hours/hours.ts';

const MINUTE_MS = 60_000;

/** Zones, each with instants around which its clocks change; some changes are past ones of odd kinds. */
export const CHANGES: readonly (readonly [zone: string, instant: string])[] = [
  ['Asia/Seoul', '2030-06-02T15:00Z'],
  ['Asia/Kathmandu', '2030-06-02T18:15Z'],
  ['Europe/Berlin', '2030-03-31T01:00Z'],
  ['Europe/Berlin', '2030-10-27T01:00Z'],
  ['America/New_York', '2030-03-10T07:00Z'],
  ['America/New_York', '2030-11-03T06:00Z'],
  // Half an hour.
  ['Australia/Lord_Howe', '2030-04-06T15:00Z'],
  ['Australia/Lord_Howe', '2030-10-05T15:30Z'],
  ['Pacific/Chatham', '2030-04-06T14:00Z'],
  // A date that the calendar skipped.
  ['Pacific/Apia', '2011-12-30T10:00Z'],
  // Midnight is skipped, or comes twice.
  ['Africa/Cairo', '2024-04-25T22:00Z'],
  ['America/Havana', '2024-11-03T05:00Z'],
];

const toWallClock = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

const minuteOfDay = fc.oneof(
  fc.integer({ min: 0, max: 24 * 60 }),
  fc.integer({ min: 0, max: 24 }).map((hour) => hour * 60),
);

const hoursOfDay = fc
  .tuple(minuteOfDay, minuteOfDay)
  .filter(([one, other]) => one !== other)
  .map(([one, other]) => ({
    opens: toWallClock(Math.min(one, other)),
    closes: toWallClock(Math.max(one, other)),
  }));

const openingHours = fc.oneof(
  fc.constant(ALWAYS),
  fc.array(
    fc.tuple(fc.constantFrom(...DAYS), hoursOfDay).map(([day, hours]) => ({ day, ...hours })),
    { minLength: 4, maxLength: 16 },
  ),
);

const bookingRules = fc
  .record({
    stepMinutes: fc.constantFrom(10, 15, 25, 30, 45, 60, 90, 240, 1440),
    minMinutes: fc.integer({ min: 1, max: 240 }),
    spanMinutes: fc.integer({ min: 0, max: 2000 }),
    minNoticeMinutes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 600 })),
    maxAdvanceDays: fc.integer({ min: 0, max: 4 }),
    bufferBeforeMinutes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 })),
    bufferAfterMinutes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 })),
  })
  .map(({ spanMinutes, ...rules }) => ({
    ...rules,
    maxMinutes: rules.minMinutes + spanMinutes,
    approvalHours: 24,
  }));

export interface Search {
  space: SlotTerms;
  from: Date;
  to: Date;
  now: Date;
  /** In order of their starts. */
  holds: TimeSlot[];
}

/** A space, and a range of up to 40 hours around a change of clocks. */
export const searches: fc.Arbitrary<Search> = fc
  .record({
    change: fc.constantFrom(...CHANGES),
    openingHours,
    exceptions: fc.uniqueArray(
      fc.record({
        days: fc.integer({ min: -2, max: 2 }),
        hours: fc.array(hoursOfDay, { maxLength: 2 }),
      }),
      { selector: ({ days }) => days, maxLength: 2 },
    ),
    bookingRules,
    fromMinutes: fc.integer({ min: -30 * 60, max: 6 * 60 }),
    length: fc.integer({ min: 60, max: 40 * 60 }),
    // Seconds: a request comes at any time.
    nowSeconds: fc.integer({ min: -72 * 3_600, max: 12 * 3_600 }),
    holds: fc.array(
      fc.tuple(fc.integer({ min: -2 * 60, max: 42 * 60 }), fc.integer({ min: 1, max: 240 })),
      { maxLength: 6 },
    ),
  })
  .map(({ change: [timeZone, instant], ...random }) => {
    const base = Date.parse(instant);
    const from = base + random.fromMinutes * MINUTE_MS;
    const minutesFrom = (minutes: number) => new Date(from + minutes * MINUTE_MS);
    return {
      space: {
        ...aSpace({ timeZone, openingHours: random.openingHours }),
        bookingRules: random.bookingRules,
        openingExceptions: random.exceptions.map(({ days, hours }) => ({
          date: new Date(base + days * 24 * 60 * MINUTE_MS).toISOString().slice(0, 10),
          hours,
          reason: '',
        })),
      },
      from: minutesFrom(0),
      to: minutesFrom(random.length),
      now: new Date(from + random.nowSeconds * 1_000),
      holds: random.holds
        .sort(([one], [other]) => one - other)
        .map(([start, length]) => ({
          startAt: minutesFrom(start),
          endAt: minutesFrom(start + length),
        })),
    };
  });
