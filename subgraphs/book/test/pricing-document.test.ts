import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { computeHolidays } from '../src/adapters/compute-holidays.ts';
import type { AddOn, CatalogueSpace, PriceRule } from '../src/domain/catalogue-space.ts';
import { type PricedUse, type PriceQuote, quotePrice } from '../src/domain/price-quote.ts';
import { refundSchedule } from '../src/domain/refund-schedule.ts';
import { aSpace } from './a-booking.ts';

const document = readFileSync('docs/pricing.md', 'utf8');
const [terms, ...examples] = [...document.matchAll(/```json\n([\s\S]*?)```/g)].map(
  ([, json = '']) => JSON.parse(json),
);

/** The studio of the page; what a host may leave out is added. */
const studio: CatalogueSpace = aSpace({
  ...terms,
  priceRules: terms.priceRules.map(
    (rule: Partial<PriceRule>): PriceRule => ({
      ...{ name: '', days: null, onHolidays: false, from: null, to: null, hourlyRate: 0 },
      ...{ firstDate: null, lastDate: null },
      ...rule,
    }),
  ),
  addOns: terms.addOns.map((addOn: Partial<AddOn>) => ({ maxQuantity: 1, ...addOn })),
});

interface Example extends Omit<PricedUse, 'slot'> {
  slot: { startAt: string; endAt: string };
}

async function quoteOf({ slot, headcount, addOns = [] }: Example): Promise<PriceQuote> {
  const holidays = computeHolidays('KR', 2027);
  const times = { startAt: new Date(slot.startAt), endAt: new Date(slot.endAt) };
  const dates = new Set(holidays.map(({ date }) => date));
  const quote = quotePrice(studio, { slot: times, headcount, addOns }, dates);
  if ('field' in quote) throw new Error(quote.message);
  return quote;
}

const won = (amount: number) => `₩${amount.toLocaleString('en-US')}`;

/** The tables of the page after the examples, each row as its cells. */
const tables = [...document.matchAll(/(?:^\|.*\n)+/gm)].map(([table]) =>
  table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
);

describe('the page about prices', () => {
  test('the page has examples, a table for each, and one of a refund schedule', () => {
    expect(examples.length).toBeGreaterThan(3);
    expect(tables).toHaveLength(examples.length + 1);
  });

  test.each(examples.map((example, index) => [example.slot.startAt, example, index]))(
    'the example of %s has the quote in its table',
    async (_start, example, index) => {
      const { lines, total, vat } = await quoteOf(example);
      expect(tables[index]).toEqual([
        ...lines.map(({ label, quantity, unitPrice, amount }) => [
          ...[label, String(quantity), won(unitPrice), won(amount)],
        ]),
        ['total', '', '', won(total.amount)],
        ['VAT inside', '', '', won(vat.amount)],
      ]);
    },
  );

  test('the refund schedule of the first example is the one in the last table', async () => {
    const { total } = await quoteOf(examples[0]);
    const start = new Date(examples[0].slot.startAt);
    const schedule = refundSchedule(total, studio.refundTiers, start, studio.timeZone);
    expect(tables.at(-1)).toEqual(
      schedule.map(({ until, percent, refund }) => [
        ...[until?.toISOString() ?? 'afterwards', String(percent), won(refund.amount)],
      ]),
    );
  });
});
