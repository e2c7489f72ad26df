import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openPeriods } from '../../src/domain/opening-hours.ts';
import { DAYS, HOUR_MS, on } from './hours.ts';
import { luxonOpenPeriods } from './luxon-opening-hours.ts';

describe('open periods of random hours', () => {
  test('open periods contain an instant exactly when the space is open by the wall clock', () => {
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
            const expected = hours.some(
              ({ day, opens, closes }) =>
                day === parts.weekday?.toUpperCase() && opens <= wall && wall < closes,
            );
            const actual = periods.some(
              ({ startAt, endAt }) => startAt <= moment && moment < endAt,
            );
            expect({ zone, moment, open: actual }).toEqual({ zone, moment, open: expected });
          }
        },
      ),
      { numRuns: 150 },
    );
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
          expect(openPeriods(hours, zone, ...range)).toEqual(
            luxonOpenPeriods(hours, zone, ...range),
          );
        },
      ),
      { numRuns: 1_500 },
    );
  }, 60_000);
});
