import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { MAX_AMOUNT, type Money, percentOf } from '../src/domain/money.ts';
import { type RefundTier, refundAt, refundSchedule } from '../src/domain/refund-schedule.ts';
import { CHANGES } from './booking-rules/random-terms.ts';

const price: Money = { amount: 90_000, currency: 'KRW' };
const start = new Date('2030-06-10T01:00:00Z');
const won = (amount: number): Money => ({ amount, currency: 'KRW' });

/** The rule of the tiers as it is written down: all that are met, of them the one with the most days. */
function refundByRule(tiers: readonly RefundTier[], startAt: Date, zone: string, now: Date) {
  const from = DateTime.fromJSDate(startAt, { zone });
  const met = tiers.filter(
    ({ daysBefore }) => now.getTime() <= from.minus({ days: daysBefore }).toMillis(),
  );
  const best = met.sort((a, b) => b.daysBefore - a.daysBefore)[0];
  return percentOf(price, best?.percent ?? 0);
}

describe('a refund schedule', () => {
  test('a refund schedule has a step for each tier, and a last one that refunds nothing', () => {
    const tiers = [
      { daysBefore: 1, percent: 50 },
      { daysBefore: 7, percent: 100 },
    ];
    expect(refundSchedule(price, tiers, start, 'Asia/Seoul')).toEqual([
      { until: new Date('2030-06-03T01:00:00Z'), percent: 100, refund: won(90_000) },
      { until: new Date('2030-06-09T01:00:00Z'), percent: 50, refund: won(45_000) },
      { until: null, percent: 0, refund: won(0) },
    ]);
  });

  test('a refund schedule has one step for tiers of the same percentage', () => {
    const tiers = [
      { daysBefore: 7, percent: 80 },
      { daysBefore: 3, percent: 80 },
      { daysBefore: 1, percent: 0 },
    ];
    expect(refundSchedule(price, tiers, start, 'Asia/Seoul')).toEqual([
      { until: new Date('2030-06-07T01:00:00Z'), percent: 80, refund: won(72_000) },
      { until: null, percent: 0, refund: won(0) },
    ]);
  });

  test('a refund schedule without tiers refunds nothing at any time', () => {
    expect(refundSchedule(price, [], start, 'Asia/Seoul')).toEqual([
      { until: null, percent: 0, refund: won(0) },
    ]);
  });

  test('a refund schedule counts days by the wall clock', () => {
    const tiers = [{ daysBefore: 1, percent: 100 }];
    const startAt = new Date('2030-03-31T10:00:00Z');
    const [step] = refundSchedule(price, tiers, startAt, 'Europe/Berlin');
    expect(step?.until).toEqual(new Date('2030-03-30T11:00:00Z'));
  });

  test('the value of a refund schedule is the rule of the tiers at every instant, also around each step and change of clocks', () => {
    const tiers = fc.uniqueArray(
      fc.record({
        daysBefore: fc.oneof(fc.nat(4), fc.nat(3_650)),
        percent: fc.oneof(fc.constantFrom(0, 50, 100), fc.nat(100)),
      }),
      { selector: ({ daysBefore }) => daysBefore, maxLength: 6 },
    );
    const near = fc.integer({ min: -5 * 86_400_000, max: 5 * 86_400_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...CHANGES),
        tiers,
        near,
        near,
        ([zone, change], tiers, ...ms) => {
          const [startAt, now] = ms.map((offset) => new Date(Date.parse(change) + offset)) as [
            Date,
            Date,
          ];
          const schedule = refundSchedule(price, tiers, startAt, zone);
          const edges = schedule.flatMap(({ until }) => (until ? [until.getTime()] : []));
          const instants = edges.flatMap((at) => [at - 1, at, at + 1]).map((at) => new Date(at));
          for (const instant of [now, startAt, ...instants]) {
            const expected = refundByRule(tiers, startAt, zone, instant);
            expect(refundAt(schedule, instant)).toEqual(expected);
          }
          expect([...edges].sort((a, b) => a - b)).toEqual(edges);
          expect(schedule.at(-1)?.until).toBeNull();
          for (const [index, { percent }] of schedule.slice(1).entries()) {
            expect(percent).not.toBe(schedule[index]?.percent);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('a refund schedule of the highest amount is exact', () => {
    const [step] = refundSchedule(
      { amount: MAX_AMOUNT, currency: 'KRW' },
      [{ daysBefore: 0, percent: 99 }],
      start,
      'Asia/Seoul',
    );
    expect(step?.refund.amount).toBe(2_126_008_811);
  });
});
