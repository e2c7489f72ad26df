import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findAlternatives } from '../../src/application/free-slots.ts';
import { bookablePeriods } from '../../src/domain/bookable-periods.ts';
import { BookingGrid } from '../../src/domain/booking-grid.ts';
import { findSlotProblem } from '../../src/domain/booking-rules.ts';
import type { CatalogueSpace } from '../../src/domain/catalogue-space.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';
import type { BookPorts } from '../../src/ports.ts';
import {
  brokenField,
  conflicts,
  gridWithin,
  horizonOf,
  isOnGrid,
  luxonBookableSlots,
} from './luxon-rules.ts';
import { CHANGES, type Search, searches } from './random-terms.ts';

const MINUTE_MS = 60_000;
const toText = ({ startAt, endAt }: TimeSlot) => `${startAt.toISOString()} ${endAt.toISOString()}`;

/** A slot that begins in the range; three of four ends are on the grid. */
const slotsIn = ({ space, from, to }: Search) =>
  fc
    .tuple(
      fc.integer({ min: from.getTime(), max: to.getTime() }),
      fc.integer({ min: -60, max: 12 * 60 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
    )
    .map(([startMs, minutes, rawStart, rawEnd]) => {
      const grid = new BookingGrid(space.timeZone, space.bookingRules.stepMinutes);
      const snap = (at: number, raw: number) => (raw === 0 ? at : grid.atOrAfter(at));
      const start = snap(startMs, rawStart);
      const end = snap(start + minutes * MINUTE_MS, rawEnd);
      return { startAt: new Date(start), endAt: new Date(end) };
    });

describe('the rules of random spaces', () => {
  test('a slot breaks the rule that it breaks by luxon, around changes of clocks', () => {
    const cases = searches.chain((search) =>
      fc.tuple(fc.constant(search), fc.array(slotsIn(search), { minLength: 4, maxLength: 12 })),
    );
    fc.assert(
      fc.property(cases, ([{ space, now }, slots]) => {
        for (const slot of slots) {
          const field = findSlotProblem(slot, space, now)?.field;
          expect([toText(slot), field]).toEqual([toText(slot), brokenField(slot, space, now)]);
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test('a slot lies in a bookable period exactly when it is accepted, free and over by the horizon', () => {
    fc.assert(
      fc.property(searches, (search) => {
        const { space, from, to, now, holds } = search;
        const periods = bookablePeriods(space, from, to, now, holds);
        const expected = luxonBookableSlots(space, { startAt: from, endAt: to }, now, holds);
        const { minMinutes, maxMinutes } = space.bookingRules;
        const actual = periods.flatMap((period) => {
          const times = gridWithin(space, period);
          return times.flatMap((startAt) =>
            times
              .filter((endAt) => {
                const minutes = (endAt.getTime() - startAt.getTime()) / MINUTE_MS;
                return minutes > 0 && minutes >= minMinutes && minutes <= maxMinutes;
              })
              .map((endAt) => ({ startAt, endAt })),
          );
        });
        expect(actual.map(toText)).toEqual(expected.map(toText));
      }),
      { numRuns: 80 },
    );
  }, 120_000);

  test('bookable periods are in order, apart, on the grid, within the range and up to the horizon', () => {
    fc.assert(
      fc.property(searches, ({ space, from, to, now, holds }) => {
        const horizon = horizonOf(space, now);
        let last = now;
        for (const { startAt, endAt } of bookablePeriods(space, from, to, now, holds)) {
          expect(startAt >= from && endAt <= to && endAt <= horizon && startAt < endAt).toBe(true);
          expect(startAt > last).toBe(true);
          expect([isOnGrid(startAt, space), isOnGrid(endAt, space)]).toEqual([true, true]);
          last = endAt;
        }
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  test('alternatives are accepted, free, of the wanted length and apart', async () => {
    const cases = searches.chain((search) => fc.tuple(fc.constant(search), slotsIn(search)));
    let found = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ([{ space, now, holds }, wanted]) => {
        fc.pre(!findSlotProblem(wanted, space, now));
        const bookings = { occupiedSlots: async () => holds };
        const ports = { bookings, clock: () => now } as unknown as BookPorts;
        const slots = await findAlternatives(ports, space as CatalogueSpace, wanted);
        found += slots.length;
        for (const [index, slot] of slots.entries()) {
          expect(findSlotProblem(slot, space, now)).toBeUndefined();
          expect(holds.some((hold) => conflicts(slot, space, hold))).toBe(false);
          expect(slot.endAt.getTime() - slot.startAt.getTime()).toBe(
            wanted.endAt.getTime() - wanted.startAt.getTime(),
          );
          for (const other of slots.slice(index + 1)) {
            expect(slot.endAt <= other.startAt || other.endAt <= slot.startAt).toBe(true);
          }
        }
        const isFree = !holds.some((hold) => conflicts(wanted, space, hold));
        if (isFree && wanted.endAt <= horizonOf(space, now)) expect(slots[0]).toEqual(wanted);
      }),
      { numRuns: 60, maxSkipsPerRun: 2_000 },
    );
    expect(found).toBeGreaterThan(0);
  }, 120_000);
});

// Clocks that went back over midnight, to the date before.
const OVER_MIDNIGHT = [
  ['Asia/Beirut', '2024-10-26T21:00Z'],
  ['America/St_Johns', '2010-11-07T02:31Z'],
] as const;

describe('the grid of a zone', () => {
  test.each([...CHANGES, ...OVER_MIDNIGHT])(
    'the grid of %s has the times of the wall clock around %s',
    (timeZone, change) => {
      for (const stepMinutes of [5, 7, 30, 50, 60, 90, 1440]) {
        const space = { timeZone, bookingRules: { stepMinutes } } as CatalogueSpace;
        const grid = new BookingGrid(timeZone, stepMinutes);
        const start = Date.parse(change) - 30 * 60 * MINUTE_MS;
        const range = { startAt: new Date(start), endAt: new Date(start + 60 * 60 * MINUTE_MS) };
        const expected = gridWithin(space, range).map((at) => at.getTime());
        const forward: number[] = [];
        for (let at = grid.atOrAfter(start); at <= range.endAt.getTime(); ) {
          forward.push(at);
          at = grid.atOrAfter(at + 1);
        }
        const backward: number[] = [];
        for (let at = grid.atOrBefore(range.endAt.getTime()); at >= start; ) {
          backward.unshift(at);
          at = grid.atOrBefore(at - 1);
        }
        expect([stepMinutes, forward]).toEqual([stepMinutes, expected]);
        expect([stepMinutes, backward]).toEqual([stepMinutes, expected]);
      }
    },
  );
});
