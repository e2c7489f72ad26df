import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calculatePrice, MAX_AMOUNT, percentOf } from '../src/domain/money.ts';

const HOUR_MS = 3_600_000;
const rates = fc.integer({ min: 0, max: MAX_AMOUNT });
const durations = fc.integer({ min: 0, max: 31 * 24 * HOUR_MS });
const orTooMuch = (price: number | undefined) => price ?? Number.POSITIVE_INFINITY;

describe('a price', () => {
  test.each([
    [30_000, 2 * HOUR_MS, 60_000],
    [100, HOUR_MS / 3, 33],
    [200, HOUR_MS / 3, 67],
    [1, HOUR_MS / 2, 1],
    [1, HOUR_MS / 2 - 1, 1],
    [1, 1, 1],
    [MAX_AMOUNT, 0, 0],
    [3, HOUR_MS / 2, 2],
    [0, HOUR_MS, 0],
    [MAX_AMOUNT, HOUR_MS, MAX_AMOUNT],
  ])('the price of %d an hour for %d ms is %d', (rate, ms, price) => {
    expect(calculatePrice(rate, ms)).toBe(price);
  });

  test('a price above the maximum amount is undefined', () => {
    expect(calculatePrice(MAX_AMOUNT, HOUR_MS + 1)).toBeUndefined();
    expect(calculatePrice(MAX_AMOUNT, 2 * HOUR_MS)).toBeUndefined();
    expect(calculatePrice(MAX_AMOUNT, 31 * 24 * HOUR_MS)).toBeUndefined();
  });

  test('a price never falls as the rate or the duration rises', () => {
    fc.assert(
      fc.property(rates, rates, durations, durations, (rate1, rate2, ms1, ms2) => {
        const lower = calculatePrice(Math.min(rate1, rate2), Math.min(ms1, ms2));
        const higher = calculatePrice(Math.max(rate1, rate2), Math.max(ms1, ms2));
        expect(orTooMuch(higher)).toBeGreaterThanOrEqual(orTooMuch(lower));
      }),
    );
  });

  test('a price is the whole number nearest to rate times hours, the higher of two, and 0 only where they are', () => {
    fc.assert(
      fc.property(rates, durations, (rate, ms) => {
        const price = calculatePrice(rate, ms);
        const doubled = 2n * BigInt(rate) * BigInt(ms);
        if (price === undefined) {
          expect(doubled >= BigInt(2 * MAX_AMOUNT + 1) * BigInt(HOUR_MS)).toBe(true);
          return;
        }
        if (price === 1 && doubled < BigInt(HOUR_MS)) {
          expect(doubled > 0n).toBe(true);
          return;
        }
        const error = BigInt(2 * price) * BigInt(HOUR_MS) - doubled;
        expect(error <= BigInt(HOUR_MS) && error > -BigInt(HOUR_MS)).toBe(true);
      }),
    );
  });
});

describe('a share of an amount', () => {
  test.each([
    [60_000, 50, 30_000],
    [1, 50, 1],
    [1, 49, 0],
    [99, 33, 33],
    [101, 50, 51],
    [MAX_AMOUNT, 100, MAX_AMOUNT],
    [MAX_AMOUNT, 99, 2_126_008_811],
    [1_000, 0, 0],
  ])('the share of %d at %d %% is %d', (amount, percent, share) => {
    expect(percentOf({ amount, currency: 'EUR' }, percent)).toEqual({
      amount: share,
      currency: 'EUR',
    });
  });

  test('a share lies between zero and the amount, and is the exact share rounded half up', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0, max: 100 }), (amount, percent) => {
        const share = percentOf({ amount, currency: 'JPY' }, percent).amount;
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(amount);
        const error = 200 * share - 2 * amount * percent;
        expect(error).toBeLessThanOrEqual(100);
        expect(error).toBeGreaterThan(-100);
      }),
    );
  });
});
