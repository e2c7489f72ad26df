import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bookablePeriods } from '../src/domain/bookable-periods.ts';
import { toFingerprint } from '../src/domain/calendar-fingerprint.ts';
import type { CatalogueSpace } from '../src/domain/catalogue-space.ts';
import { aSpace } from './a-booking.ts';
import { searches } from './booking-rules/random-terms.ts';

const at = (time: string) => new Date(`2030-06-03T${time}Z`);
const spaceWith = (rules: Partial<CatalogueSpace['bookingRules']>, more: object = {}) =>
  aSpace({ bookingRules: { ...aSpace().bookingRules, ...rules }, ...more });
const fingerprintAt = (time: string, space = aSpace(), holds = '0:0') =>
  toFingerprint(space, holds, at(time));

describe('the fingerprint of a calendar', () => {
  test('the fingerprint stays until the next time of the grid begins, and changes then', () => {
    expect(fingerprintAt('10:29:59.999')).toBe(fingerprintAt('10:00:00'));
    expect(fingerprintAt('10:30:00')).not.toBe(fingerprintAt('10:29:59.999'));
  });

  test('the fingerprint changes when the notice passes a time of the grid', () => {
    const space = spaceWith({ minNoticeMinutes: 10, maxAdvanceDays: 0 });
    const far = spaceWith({ minNoticeMinutes: 10 });
    expect(fingerprintAt('10:20:00', far)).toBe(fingerprintAt('10:15:00', far));
    expect(fingerprintAt('10:20:00.001', far)).not.toBe(fingerprintAt('10:20:00', far));
    // With more notice than days ahead nothing can be booked, at any time.
    expect(fingerprintAt('10:20:00', space)).toBe(fingerprintAt('18:00:00', space));
  });

  test('the fingerprint changes with the version of the space and with the set of holds', () => {
    const other = aSpace({ version: 2 });
    expect(fingerprintAt('10:00:00', other)).not.toBe(fingerprintAt('10:00:00'));
    expect(fingerprintAt('10:00:00', aSpace(), '1:7')).not.toBe(fingerprintAt('10:00:00'));
  });

  test('a space that takes no bookings keeps its fingerprint while time passes', () => {
    const paused = aSpace({ state: 'PAUSED' });
    expect(fingerprintAt('10:00:00', paused)).toBe(fingerprintAt('18:00:00', paused));
  });

  test('equal fingerprints mean equal free slots, in every zone, under all rules, at every time', () => {
    // Milliseconds, because the fingerprint changes between two of them.
    const passing = fc.integer({ min: 0, max: 5_400_000 });
    fc.assert(
      fc.property(searches, passing, ({ space, from, to, now, holds }, laterMs) => {
        const later = new Date(now.getTime() + laterMs);
        const terms = { ...space, version: 1 };
        fc.pre(toFingerprint(terms, '', now) === toFingerprint(terms, '', later));
        expect(bookablePeriods(space, from, to, later, holds)).toEqual(
          bookablePeriods(space, from, to, now, holds),
        );
      }),
      { numRuns: 500 },
    );
  });
});
