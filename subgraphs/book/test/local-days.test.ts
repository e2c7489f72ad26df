import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { LocalDays } from '../src/domain/local-days.ts';

test('days later or earlier are counted by the wall clock as luxon counts them, also over changes of clocks', () => {
  const zones = ['Asia/Seoul', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'UTC'];
  const from = Date.parse('2026-03-29T01:00:00Z');
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      // Minutes: every time that clocks skip or repeat comes up.
      fc.integer({ min: -400 * 1_440, max: 400 * 1_440 }),
      fc.oneof(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -3_650, max: 3_650 })),
      (zone, minutes, days) => {
        const instant = from + minutes * 60_000;
        const expected = DateTime.fromMillis(instant, { zone }).plus({ days }).toMillis();
        expect(LocalDays.for(zone).plusDays(instant, days)).toBe(expected);
      },
    ),
    { numRuns: 2_000 },
  );
});
