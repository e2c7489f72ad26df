import { describe, expect, test } from '@jest/globals';
import type { Money } from '../src/domain/money.ts';
import { type RefundTier, refundAt, refundSchedule } from '../src/domain/refund-schedule.ts';

const price: Money = { amount: 10_000, currency: 'USD' };
const usual: RefundTier[] = [
  { daysBefore: 7, percent: 100 },
  { daysBefore: 1, percent: 50 },
];

function refund(startAt: string, zone: string, now: string, tiers = usual, of = price.amount) {
  const schedule = refundSchedule({ ...price, amount: of }, tiers, new Date(startAt), zone);
  return refundAt(schedule, new Date(now)).amount;
}

describe('a refund', () => {
  test.each([
    ['seven full days before, to the millisecond', '2030-06-03T01:00:00.000Z', 10_000],
    ['a millisecond less than seven days before', '2030-06-03T01:00:00.001Z', 5_000],
    ['one full day before, to the millisecond', '2030-06-09T01:00:00.000Z', 5_000],
    ['a millisecond less than one day before', '2030-06-09T01:00:00.001Z', 0],
    ['at the start', '2030-06-10T01:00:00.000Z', 0],
    ['long before', '2029-01-01T00:00:00.000Z', 10_000],
  ])('a refund %s is by the largest number of days that is met', (_when, now, amount) => {
    expect(refund('2030-06-10T01:00:00.000Z', 'Asia/Seoul', now)).toBe(amount);
  });

  // Clocks change between Saturday noon and Sunday noon: that day has 23 or 25 hours.
  test.each([
    [
      '23 h before, the day clocks go forward',
      'America/New_York',
      '2030-03-10T16:00:00Z',
      '2030-03-09T17:00:00.000Z',
      5_000,
    ],
    [
      'a millisecond later than that',
      'America/New_York',
      '2030-03-10T16:00:00Z',
      '2030-03-09T17:00:00.001Z',
      0,
    ],
    [
      '25 h before, the day clocks go back',
      'America/New_York',
      '2030-11-03T17:00:00Z',
      '2030-11-02T16:00:00.000Z',
      5_000,
    ],
    [
      'a millisecond later than that',
      'America/New_York',
      '2030-11-03T17:00:00Z',
      '2030-11-02T16:00:00.001Z',
      0,
    ],
    [
      '23 h before in Berlin',
      'Europe/Berlin',
      '2030-03-31T10:00:00Z',
      '2030-03-30T11:00:00.000Z',
      5_000,
    ],
    [
      '25 h before in Berlin',
      'Europe/Berlin',
      '2030-10-27T11:00:00Z',
      '2030-10-26T10:00:00.000Z',
      5_000,
    ],
    [
      '24 h before where clocks never change',
      'Asia/Seoul',
      '2030-03-31T10:00:00Z',
      '2030-03-30T10:00:00.000Z',
      5_000,
    ],
    [
      '23 h before where clocks never change',
      'Asia/Seoul',
      '2030-03-31T10:00:00Z',
      '2030-03-30T11:00:00.000Z',
      0,
    ],
  ])('a refund counts a day by the wall clock: %s', (_when, zone, startAt, now, amount) => {
    expect(refund(startAt, zone, now)).toBe(amount);
  });

  test('a refund does not depend on the order of the tiers, and does not change it', () => {
    const tiers: RefundTier[] = [
      { daysBefore: 1, percent: 10 },
      { daysBefore: 14, percent: 100 },
      { daysBefore: 0, percent: 5 },
      { daysBefore: 7, percent: 50 },
    ];
    const copy = structuredClone(tiers);
    const at = (now: string) => refund('2030-06-30T12:00:00Z', 'UTC', now, tiers);
    expect(at('2030-06-16T12:00:00Z')).toBe(10_000);
    expect(at('2030-06-20T12:00:00Z')).toBe(5_000);
    expect(at('2030-06-29T12:00:00Z')).toBe(1_000);
    expect(at('2030-06-30T12:00:00Z')).toBe(500);
    expect(at('2030-06-30T12:00:00.001Z')).toBe(0);
    expect(tiers).toEqual(copy);
  });

  test('a refund is by the largest number of days that is met even where a smaller one refunds more', () => {
    const odd: RefundTier[] = [
      { daysBefore: 7, percent: 20 },
      { daysBefore: 1, percent: 80 },
    ];
    expect(refund('2030-06-30T12:00:00Z', 'UTC', '2030-06-01T00:00:00Z', odd)).toBe(2_000);
  });

  test('a refund without tiers is zero', () => {
    expect(refund('2030-06-30T12:00:00Z', 'UTC', '2029-01-01T00:00:00Z', [])).toBe(0);
  });

  test.each([
    [1, 50, 1],
    [3, 50, 2],
    [999, 33, 330],
    [1, 49, 0],
  ])('a refund of %d at %d %% is rounded half up to %d', (amount, percent, expected) => {
    const tiers = [{ daysBefore: 0, percent }];
    expect(refund('2030-06-30T12:00:00Z', 'UTC', '2030-06-01T00:00:00Z', tiers, amount)).toBe(
      expected,
    );
  });
});
