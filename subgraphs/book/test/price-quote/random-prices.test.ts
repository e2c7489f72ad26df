import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PriceRule } from '../../src/domain/catalogue-space.ts';
import { calculatePrice, MAX_AMOUNT } from '../../src/domain/money.ts';
import { type PriceQuote, quotePrice } from '../../src/domain/price-quote.ts';
import { datesOf } from '../../src/domain/price-rates.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';
import { aSpace } from '../a-booking.ts';
import { CHANGES } from '../booking-rules/random-terms.ts';
import { DAYS } from '../opening-hours/hours.ts';
import { luxonRates } from './luxon-price.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const toDate = (ms: number) => new Date(ms).toISOString().slice(0, 10);

const wallClock = (max: number) =>
  fc
    .oneof(
      fc.integer({ min: 0, max }),
      fc.integer({ min: 0, max: max / 60 }).map((hour) => hour * 60),
    )
    .map((minutes) =>
      [Math.floor(minutes / 60), minutes % 60]
        .map((part) => String(part).padStart(2, '0'))
        .join(':'),
    );

/** One in `of` is null: with too many conditions no rule applies. */
const orNull = <T>(arbitrary: fc.Arbitrary<T>, of: number) =>
  fc.option(arbitrary, { freq: of - 1 });
/** Sometimes. */
const rarelyNot = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const rulesAround = (base: number) => {
  const date = fc.integer({ min: -3, max: 3 }).map((days) => toDate(base + days * DAY_MS));
  const rule: fc.Arbitrary<PriceRule> = fc.record({
    name: fc.constantFrom('Night', 'Weekend', 'Summer', 'Base rate'),
    days: orNull(fc.subarray(DAYS, { minLength: 1 }), 2),
    onHolidays: fc.constantFrom(false, false, false, true),
    from: orNull(wallClock(23 * 60), 5),
    to: orNull(wallClock(24 * 60), 5),
    firstDate: rarelyNot(date),
    lastDate: rarelyNot(date),
    hourlyRate: fc.oneof(fc.constantFrom(0, 1, 20_000), fc.integer({ min: 0, max: 1_000_000 })),
  });
  return { rules: fc.array(rule, { maxLength: 8 }), dates: fc.array(date, { maxLength: 6 }) };
};

/** A space with random price rules, a slot around a change of clocks, and holidays. */
const uses = fc.constantFrom(...CHANGES).chain(([timeZone, change]) => {
  const base = Date.parse(change);
  const { rules, dates } = rulesAround(base);
  return fc
    .record({
      priceRules: rules,
      hourlyRate: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000_000 })),
      holidays: dates,
      from: fc.integer({ min: -30 * 60, max: 6 * 60 }),
      minutes: fc.integer({ min: 1, max: 40 * 60 }),
    })
    .map(({ priceRules, hourlyRate, holidays, from, minutes }) => ({
      space: aSpace({ timeZone, priceRules, hourlyRate }),
      holidays: new Set(holidays),
      slot: {
        startAt: new Date(base + from * MINUTE_MS),
        endAt: new Date(base + (from + minutes) * MINUTE_MS),
      },
    }));
});
type Use = typeof uses extends fc.Arbitrary<infer T> ? T : never;

function quoteOf({ space, holidays }: Use, slot: TimeSlot): PriceQuote {
  const quote = quotePrice(space, { slot, headcount: 1, addOns: [] }, holidays);
  if ('field' in quote) throw new Error(quote.message);
  return quote;
}

describe('the price of random uses', () => {
  test('a price equals the one of each minute by luxon, around changes of clocks', () => {
    fc.assert(
      fc.property(uses, (use) => {
        const { space, slot, holidays } = use;
        const expected = luxonRates(slot, space, holidays).map(
          ({ label, hourlyRate, durationMs }) => ({
            kind: 'RATE',
            label,
            quantity: durationMs / 3_600_000,
            unitPrice: hourlyRate,
            amount: calculatePrice(hourlyRate, durationMs),
          }),
        );
        const quote = quoteOf(use, slot);
        expect(quote.lines).toEqual(expected);
        const total = expected.reduce((sum, { amount }) => sum + (amount ?? 0), 0);
        expect(quote.total).toEqual({ amount: total, currency: 'KRW' });
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  test('a price is 0 only where each rate that applies is', () => {
    fc.assert(
      fc.property(uses, (use) => {
        const { lines, total } = quoteOf(use, use.slot);
        expect(lines.length).toBeGreaterThan(0);
        for (const { unitPrice, amount } of lines) expect(amount === 0).toBe(unitPrice === 0);
        expect(total.amount === 0).toBe(lines.every(({ unitPrice }) => unitPrice === 0));
      }),
      { numRuns: 150 },
    );
  });

  test('a price changes by at most 1 for each line when the slot is split', () => {
    fc.assert(
      fc.property(uses, fc.double({ min: 0, max: 1, noNaN: true }), (use, share) => {
        const { startAt, endAt } = use.slot;
        const minutes = (endAt.getTime() - startAt.getTime()) / MINUTE_MS;
        fc.pre(minutes > 1);
        const at = 1 + Math.floor(share * (minutes - 2));
        const middle = new Date(startAt.getTime() + at * MINUTE_MS);
        const whole = quoteOf(use, use.slot);
        const parts = [
          quoteOf(use, { startAt, endAt: middle }),
          quoteOf(use, { startAt: middle, endAt }),
        ];
        const sum = parts.reduce((total, part) => total + part.total.amount, 0);
        const lines = parts.reduce((count, part) => count + part.lines.length, 0);
        expect(Math.abs(sum - whole.total.amount)).toBeLessThanOrEqual(lines);
        const hours = parts.flatMap((part) => part.lines.map(({ quantity }) => quantity));
        const all = whole.lines.reduce((total, { quantity }) => total + quantity, 0);
        expect(hours.reduce((total, quantity) => total + quantity, 0)).toBeCloseTo(all, 6);
      }),
      { numRuns: 150 },
    );
  });

  test('a price does not depend on a rule that is repeated, which may stand anywhere behind it', () => {
    fc.assert(
      fc.property(uses, fc.nat(7), (use, index) => {
        const rules = use.space.priceRules;
        fc.pre(rules.length > 0);
        const place = index % rules.length;
        const copy = structuredClone(rules[place] as PriceRule);
        const repeated = [...rules.slice(0, place + 1), copy, ...rules.slice(place + 1), copy];
        const withRules = (priceRules: PriceRule[]) =>
          quoteOf({ ...use, space: { ...use.space, priceRules } }, use.slot);
        expect(withRules(repeated)).toEqual(quoteOf(use, use.slot));
      }),
    );
  });

  test('a price needs no holidays but those of the dates that it asks for', () => {
    fc.assert(
      fc.property(uses, (use) => {
        const { first, last } = datesOf(use.slot, use.space.timeZone);
        const holidays = new Set([...use.holidays].filter((date) => first <= date && date <= last));
        expect(quoteOf({ ...use, holidays }, use.slot)).toEqual(quoteOf(use, use.slot));
      }),
      { numRuns: 150 },
    );
  });

  test('a price is whole, never negative and never above the maximum, or is refused, at the extremes', () => {
    const amount = fc.constantFrom(0, 1, 2, 1_000, MAX_AMOUNT - 1, MAX_AMOUNT);
    const count = fc.constantFrom(1, 2, 1_000, MAX_AMOUNT);
    const extremes = fc.record({
      minutes: fc.constantFrom(1, 30, 60, 31 * 24 * 60),
      hourlyRate: amount,
      extraPersonHourlyRate: amount,
      price: amount,
      unit: fc.constantFrom('PER_BOOKING' as const, 'PER_HOUR' as const, 'PER_PERSON' as const),
      quantity: count,
      headcount: count,
      vatPercent: fc.constantFrom(0, 10, 100),
    });
    fc.assert(
      fc.property(extremes, ({ minutes, price, unit, quantity, headcount, ...terms }) => {
        const addOn = { id: 'a1', name: 'Piano', unit, price, maxQuantity: MAX_AMOUNT };
        const space = aSpace({
          ...terms,
          capacity: MAX_AMOUNT,
          includedHeadcount: 1,
          addOns: [addOn],
        });
        const startAt = new Date('2030-06-03T00:00Z');
        const slot = { startAt, endAt: new Date(startAt.getTime() + minutes * MINUTE_MS) };
        const addOns = [{ addOnId: 'a1', quantity }];
        const quote = quotePrice(space, { slot, headcount, addOns }, new Set());
        if ('field' in quote) return expect(quote.field).toBe('slot');
        const amounts = quote.lines.flatMap((line) => [line.amount, line.unitPrice]);
        for (const one of [...amounts, quote.total.amount, quote.vat.amount]) {
          expect(Number.isSafeInteger(one) && one >= 0 && one <= MAX_AMOUNT).toBe(true);
        }
        expect(quote.vat.amount).toBeLessThanOrEqual(quote.total.amount);
      }),
      { numRuns: 1_000 },
    );
  });
});
