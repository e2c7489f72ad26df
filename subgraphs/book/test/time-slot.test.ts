import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lengthMs, nearestSlots, subtractSlots, type TimeSlot } from '../src/domain/time-slot.ts';

const MINUTE_MS = 60_000;
const at = (minute: number) => new Date(Date.UTC(2030, 0, 1) + minute * MINUTE_MS);
const slot = (from: number, to: number): TimeSlot => ({ startAt: at(from), endAt: at(to) });
const minutes = (slots: readonly TimeSlot[]) =>
  slots.map(({ startAt, endAt }) => [
    (startAt.getTime() - at(0).getTime()) / MINUTE_MS,
    (endAt.getTime() - at(0).getTime()) / MINUTE_MS,
  ]);
const covers = ({ startAt, endAt }: TimeSlot, minute: number) =>
  startAt <= at(minute) && at(minute) < endAt;

const DAY = 200;
/** Slots in order of their starts that may overlap. */
const anySlots = fc
  .array(fc.tuple(fc.nat(DAY - 1), fc.integer({ min: 1, max: 40 })), { maxLength: 8 })
  .map((pairs) =>
    pairs.sort((a, b) => a[0] - b[0]).map(([from, length]) => slot(from, from + length)),
  );
/** Slots in order that do not touch one another, as opening periods are. */
const apart = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 60 })), {
    maxLength: 5,
  })
  .map((pairs) => {
    let end = 0;
    return pairs.map(([gap, length]) => {
      const from = end + gap;
      end = from + length;
      return slot(from, end);
    });
  });

describe('subtracting occupied slots', () => {
  test.each([
    [
      'a hole in the middle',
      [[0, 60]],
      [[20, 30]],
      [
        [0, 20],
        [30, 60],
      ],
    ],
    ['a hole at the start', [[0, 60]], [[0, 30]], [[30, 60]]],
    ['a hole at the end', [[0, 60]], [[30, 60]], [[0, 30]]],
    ['a hole that is all', [[0, 60]], [[0, 60]], []],
    ['a hole beyond both ends', [[10, 60]], [[0, 90]], []],
    [
      'back-to-back holes',
      [[0, 60]],
      [
        [10, 20],
        [20, 30],
      ],
      [
        [0, 10],
        [30, 60],
      ],
    ],
    [
      'overlapping holes',
      [[0, 60]],
      [
        [10, 40],
        [20, 30],
      ],
      [
        [0, 10],
        [40, 60],
      ],
    ],
    [
      'a hole over two periods',
      [
        [0, 30],
        [40, 60],
      ],
      [[20, 50]],
      [
        [0, 20],
        [50, 60],
      ],
    ],
    [
      'holes that only touch',
      [[10, 20]],
      [
        [0, 10],
        [20, 30],
      ],
      [[10, 20]],
    ],
    [
      'no hole',
      [
        [0, 10],
        [20, 30],
      ],
      [],
      [
        [0, 10],
        [20, 30],
      ],
    ],
    ['no period', [], [[0, 10]], []],
  ] as [string, number[][], number[][], number[][]][])('with %s', (_name, open, occupied, free) => {
    const toSlots = (pairs: number[][]) =>
      pairs.map(([from, to]) => slot(from as number, to as number));
    expect(minutes(subtractSlots(toSlots(open), toSlots(occupied)))).toEqual(free);
  });

  test('the remaining slots contain every free instant and no occupied one', () => {
    fc.assert(
      fc.property(apart, anySlots, (open, occupied) => {
        const free = subtractSlots(open, occupied);
        const all = Array.from({ length: 450 }, (_, minute) => minute);
        const isIn = (slots: TimeSlot[], minute: number) =>
          slots.some((one) => covers(one, minute));
        const expected = all.filter((minute) => isIn(open, minute) && !isIn(occupied, minute));
        expect(all.filter((minute) => isIn(free, minute))).toEqual(expected);
      }),
    );
  });

  test('the remaining slots are in order, none empty, none overlapping', () => {
    fc.assert(
      fc.property(apart, anySlots, (open, occupied) => {
        let end = Number.NEGATIVE_INFINITY;
        for (const left of subtractSlots(open, occupied)) {
          expect(lengthMs(left)).toBeGreaterThan(0);
          expect(left.startAt.getTime()).toBeGreaterThanOrEqual(end);
          end = left.endAt.getTime();
        }
      }),
    );
  });
});

describe('the nearest free slots', () => {
  test.each([
    ['the slot itself when it is free', [[0, 100]], [40, 50], 1, [[40, 50]]],
    [
      'just before what is occupied',
      [
        [0, 40],
        [60, 100],
      ],
      [42, 52],
      1,
      [[30, 40]],
    ],
    [
      'just after what is occupied',
      [
        [0, 40],
        [50, 100],
      ],
      [45, 55],
      1,
      [[50, 60]],
    ],
    [
      'the earlier of two that are as near',
      [
        [0, 40],
        [50, 100],
      ],
      [40, 50],
      2,
      [
        [30, 40],
        [50, 60],
      ],
    ],
    [
      'several of one gap',
      [[0, 35]],
      [0, 10],
      5,
      [
        [0, 10],
        [10, 20],
        [20, 30],
      ],
    ],
    [
      'nothing where none is long enough',
      [
        [0, 9],
        [20, 29],
      ],
      [5, 15],
      3,
      [],
    ],
    ['a gap of exactly its length', [[70, 80]], [0, 10], 3, [[70, 80]]],
  ] as [string, number[][], number[], number, number[][]][])(
    'are %s',
    (_name, free, wanted, limit, expected) => {
      const gaps = free.map(([from, to]) => slot(from as number, to as number));
      const [from, to] = wanted as [number, number];
      expect(minutes(nearestSlots(gaps, slot(from, to), limit))).toEqual(expected);
    },
  );

  test('the nearest slots are free, of the wanted length, apart, nearest first, and the first is the nearest of all', () => {
    const wanted = fc
      .tuple(fc.nat(DAY), fc.integer({ min: 1, max: 30 }))
      .map(([from, length]) => slot(from, from + length));
    fc.assert(
      fc.property(apart, wanted, fc.integer({ min: 1, max: 5 }), (free, wantedMs, limit) => {
        const found = nearestSlots(free, wantedMs, limit);
        const distance = (start: Date) => Math.abs(start.getTime() - wantedMs.startAt.getTime());
        const fits = (start: Date) =>
          free.some(
            (gap) =>
              gap.startAt <= start && start.getTime() + lengthMs(wantedMs) <= gap.endAt.getTime(),
          );
        expect(found.length).toBeLessThanOrEqual(limit);
        for (const [index, one] of found.entries()) {
          expect(lengthMs(one)).toBe(lengthMs(wantedMs));
          expect(fits(one.startAt)).toBe(true);
          const next = found[index + 1];
          if (next) expect(distance(next.startAt)).toBeGreaterThanOrEqual(distance(one.startAt));
          for (const other of found.slice(index + 1)) {
            expect(one.endAt <= other.startAt || other.endAt <= one.startAt).toBe(true);
          }
        }
        const possible = Array.from({ length: 450 }, (_, minute) => at(minute)).filter(fits);
        const nearest = Math.min(...possible.map(distance));
        expect(found[0] ? distance(found[0].startAt) : Number.POSITIVE_INFINITY).toBe(nearest);
      }),
    );
  });
});
