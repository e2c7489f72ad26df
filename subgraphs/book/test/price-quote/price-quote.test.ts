import { describe, expect, test } from '@jest/globals';
import type { AddOn, CatalogueSpace, PriceRule } from '../../src/domain/catalogue-space.ts';
import { MAX_AMOUNT } from '../../src/domain/money.ts';
import { type AddOnSelection, quotePrice } from '../../src/domain/price-quote.ts';
import { datesOf } from '../../src/domain/price-rates.ts';
import { aSpace } from '../a-booking.ts';

const piano: AddOn = {
  id: 'a1',
  name: 'Piano',
  unit: 'PER_BOOKING',
  price: 15_000,
  maxQuantity: 2,
};
const camera: AddOn = { id: 'a2', name: 'Camera', unit: 'PER_HOUR', price: 5_000, maxQuantity: 3 };
const lunch: AddOn = { id: 'a3', name: 'Lunch', unit: 'PER_PERSON', price: 9_000, maxQuantity: 1 };

function aRule(changes: Partial<PriceRule>): PriceRule {
  return {
    name: 'Night',
    days: null,
    onHolidays: false,
    from: null,
    to: null,
    firstDate: null,
    lastDate: null,
    hourlyRate: 40_000,
    ...changes,
  };
}

interface Asked {
  headcount?: number;
  addOns?: AddOnSelection[];
  holidays?: string[];
}

/** Monday 3 June 2030 by the wall clock of Seoul, or of `space`; `to` may be on a later date. */
function quote(from: string, to: string, terms: Partial<CatalogueSpace> = {}, asked: Asked = {}) {
  const at = (text: string) => new Date(text.includes('T') ? text : `2030-06-03T${text}+09:00`);
  const { headcount = 1, addOns = [], holidays = [] } = asked;
  const slot = { startAt: at(from), endAt: at(to) };
  return quotePrice(aSpace(terms), { slot, headcount, addOns }, new Set(holidays));
}

/** Each line as its label, quantity, unit price and amount. */
function lines(...args: Parameters<typeof quote>) {
  const result = quote(...args);
  if ('field' in result) throw new Error(result.message);
  return result.lines.map(({ label, quantity, unitPrice, amount }) => [
    label,
    quantity,
    unitPrice,
    amount,
  ]);
}

const won = (amount: number) => ({ amount, currency: 'KRW' });

describe('a price quote', () => {
  test('a price quote without rules is the base rate, with the VAT inside', () => {
    expect(quote('10:00', '12:30')).toEqual({
      lines: [
        { kind: 'RATE', label: 'Base rate', quantity: 2.5, unitPrice: 30_000, amount: 75_000 },
      ],
      total: won(75_000),
      vat: won(6_818),
    });
  });

  test('a price quote has a line for each rate, in the order in which they first apply', () => {
    const priceRules = [
      aRule({ from: '18:00' }),
      aRule({ name: 'Morning', to: '09:00', hourlyRate: 10_000 }),
    ];
    expect(lines('08:00', '2030-06-04T08:30+09:00', { priceRules })).toEqual([
      ['Morning', 9.5, 10_000, 95_000],
      ['Base rate', 9, 30_000, 270_000],
      ['Night', 6, 40_000, 240_000],
    ]);
  });

  test('the first price rule that applies counts', () => {
    const priceRules = [aRule({ from: '18:00' }), aRule({ name: 'All day', hourlyRate: 50_000 })];
    expect(lines('17:00', '19:00', { priceRules })).toEqual([
      ['All day', 1, 50_000, 50_000],
      ['Night', 1, 40_000, 40_000],
    ]);
  });

  test('rules of one name and rate are one line, and of another rate are another', () => {
    const priceRules = [
      aRule({ from: '10:00', to: '11:00' }),
      aRule({ from: '12:00', to: '13:00' }),
      aRule({ from: '13:00', to: '14:00', hourlyRate: 45_000 }),
    ];
    expect(lines('10:00', '14:00', { priceRules })).toEqual([
      ['Night', 2, 40_000, 80_000],
      ['Base rate', 1, 30_000, 30_000],
      ['Night', 1, 45_000, 45_000],
    ]);
  });

  test('a night over midnight belongs to the date on which it begins: weekday', () => {
    const monday = [aRule({ from: '22:00', to: '02:00', days: ['MONDAY'] })];
    expect(lines('21:00', '2030-06-04T23:00+09:00', { priceRules: monday })).toEqual([
      ['Base rate', 22, 30_000, 660_000],
      ['Night', 4, 40_000, 160_000],
    ]);
    const sunday = [aRule({ from: '22:00', to: '02:00', days: ['SUNDAY'] })];
    expect(lines('01:00', '03:00', { priceRules: sunday })).toEqual([
      ['Night', 1, 40_000, 40_000],
      ['Base rate', 1, 30_000, 30_000],
    ]);
  });

  test('a night over midnight belongs to the date on which it begins: holiday and date', () => {
    const holiday = [aRule({ from: '22:00', to: '02:00', onHolidays: true })];
    const onSunday = { holidays: ['2030-06-02'] };
    expect(lines('01:00', '02:00', { priceRules: holiday }, onSunday)[0]?.[0]).toBe('Night');
    expect(lines('22:00', '23:00', { priceRules: holiday }, onSunday)[0]?.[0]).toBe('Base rate');
    const date = [
      aRule({ from: '22:00', to: '02:00', firstDate: '2030-06-02', lastDate: '2030-06-02' }),
    ];
    expect(lines('01:00', '02:00', { priceRules: date })[0]?.[0]).toBe('Night');
    expect(lines('22:00', '23:00', { priceRules: date })[0]?.[0]).toBe('Base rate');
  });

  test('a rule that ends at 00:00 ends at midnight', () => {
    const priceRules = [aRule({ from: '22:00', to: '00:00' })];
    expect(lines('21:00', '2030-06-04T01:00+09:00', { priceRules })).toEqual([
      ['Base rate', 2, 30_000, 60_000],
      ['Night', 2, 40_000, 80_000],
    ]);
  });

  test('all conditions of a rule must hold', () => {
    const priceRules = [aRule({ days: ['MONDAY'], onHolidays: true, firstDate: '2030-06-03' })];
    const name = (holidays: string[], date: string) =>
      lines(`${date}T10:00+09:00`, `${date}T11:00+09:00`, { priceRules }, { holidays })[0]?.[0];
    expect(name(['2030-06-03'], '2030-06-03')).toBe('Night');
    expect(name([], '2030-06-03')).toBe('Base rate');
    expect(name(['2030-06-04'], '2030-06-04')).toBe('Base rate');
    expect(name(['2030-05-27'], '2030-05-27')).toBe('Base rate');
  });

  test('an hour that comes twice costs its rate both times, and one that is skipped nothing', () => {
    const priceRules = [aRule({ from: '01:00', to: '02:00' })];
    const terms = { timeZone: 'America/New_York', priceRules };
    expect(lines('2030-11-03T00:00-04:00', '2030-11-03T03:00-05:00', terms)).toEqual([
      ['Base rate', 2, 30_000, 60_000],
      ['Night', 2, 40_000, 80_000],
    ]);
    const skipped = { ...terms, priceRules: [aRule({ from: '02:00', to: '03:00' })] };
    expect(lines('2030-03-10T01:00-05:00', '2030-03-10T04:00-04:00', skipped)).toEqual([
      ['Base rate', 2, 30_000, 60_000],
    ]);
  });

  test('a rule that begins or ends after clocks change does so by the wall clock', () => {
    const terms = {
      timeZone: 'America/New_York',
      priceRules: [aRule({ from: '01:00', to: '05:00' })],
    };
    expect(lines('2030-03-10T00:00-05:00', '2030-03-10T06:00-04:00', terms)).toEqual([
      ['Base rate', 2, 30_000, 60_000],
      ['Night', 3, 40_000, 120_000],
    ]);
    expect(lines('2030-11-03T00:00-04:00', '2030-11-03T06:00-05:00', terms)).toEqual([
      ['Base rate', 2, 30_000, 60_000],
      ['Night', 5, 40_000, 200_000],
    ]);
  });

  test('the holidays that a quote needs begin on the day before it, to which its night may belong', () => {
    const slot = {
      startAt: new Date('2030-06-03T01:00:00+09:00'),
      endAt: new Date('2030-06-04T01:00:00+09:00'),
    };
    expect(datesOf(slot, 'Asia/Seoul')).toEqual({ first: '2030-06-02', last: '2030-06-04' });
  });

  test('a line is rounded once, half up, and costs nothing only where its rate is 0', () => {
    expect(lines('10:00', '10:20', { hourlyRate: 100 })).toEqual([['Base rate', 1 / 3, 100, 33]]);
    expect(lines('10:00', '10:30', { hourlyRate: 5 })).toEqual([['Base rate', 0.5, 5, 3]]);
    expect(lines('10:00', '10:20', { hourlyRate: 1 })).toEqual([['Base rate', 1 / 3, 1, 1]]);
    expect(lines('10:00', '10:20', { hourlyRate: 0 })).toEqual([['Base rate', 1 / 3, 0, 0]]);
  });

  test('people above the included ones cost their rate for each hour', () => {
    const terms = { includedHeadcount: 4, extraPersonHourlyRate: 3_333 };
    expect(lines('10:00', '11:30', terms, { headcount: 7 })[1]).toEqual([
      ...['Extra people', 3, 5_000, 15_000],
    ]);
    expect(lines('10:00', '11:30', terms, { headcount: 4 })).toHaveLength(1);
  });

  test('add-ons cost their price for each booking, hour or person', () => {
    const asked = {
      headcount: 4,
      addOns: [
        { addOnId: 'a3', quantity: 1 },
        { addOnId: 'a2', quantity: 2 },
        { addOnId: 'A1', quantity: 2 },
      ],
    };
    expect(lines('10:00', '11:30', { addOns: [piano, camera, lunch] }, asked).slice(1)).toEqual([
      ['Lunch', 4, 9_000, 36_000],
      ['Camera', 2, 7_500, 15_000],
      ['Piano', 2, 15_000, 30_000],
    ]);
  });

  test.each([
    ['headcount', 'At least one person must come.', { headcount: 0 }],
    ['headcount', 'Loft takes at most 10 people, not 11.', { headcount: 11 }],
    ['addOns[0].addOnId', 'Loft has no such add-on.', { addOns: [{ addOnId: 'a9', quantity: 1 }] }],
    [
      'addOns[0].quantity',
      'The quantity of Piano must be from 1 to 2, not 0.',
      { addOns: [{ addOnId: 'a1', quantity: 0 }] },
    ],
    [
      'addOns[1].quantity',
      'The quantity of Piano must be from 1 to 2, not 3.',
      {
        addOns: [
          { addOnId: 'a2', quantity: 1 },
          { addOnId: 'a1', quantity: 3 },
        ],
      },
    ],
    [
      'addOns[1].addOnId',
      'Piano is listed twice: list it once, with its quantity.',
      {
        addOns: [
          { addOnId: 'a1', quantity: 1 },
          { addOnId: 'A1', quantity: 1 },
        ],
      },
    ],
  ] as [string, string, Asked][])('a price quote is refused: %s, %s', (field, message, asked) => {
    expect(quote('10:00', '11:00', { addOns: [piano, camera, lunch] }, asked)).toEqual({
      field,
      message,
    });
  });

  test('a price quote of the maximum amount is possible, and of a minor unit more is refused', () => {
    const addOn = { ...piano, price: 1 };
    const terms = { hourlyRate: MAX_AMOUNT - 1, addOns: [addOn] };
    const asked = (quantity: number) => ({ addOns: [{ addOnId: 'a1', quantity }] });
    expect(quote('10:00', '11:00', terms, asked(1))).toMatchObject({ total: won(MAX_AMOUNT) });
    expect(quote('10:00', '11:00', terms, asked(2))).toMatchObject({ field: 'slot' });
  });

  test.each([
    [110_000, 10, 10_000],
    [100, 10, 9],
    [15, 10, 1],
    [16, 10, 1],
    [17, 10, 2],
    [1, 100, 1],
    [100, 0, 0],
    [MAX_AMOUNT, 100, 1_073_741_824],
  ])(
    'a price quote of %d with %d %% VAT has %d of it inside, rounded half up',
    (hourlyRate, vatPercent, vat) => {
      expect(quote('10:00', '11:00', { hourlyRate, vatPercent })).toMatchObject({ vat: won(vat) });
    },
  );
});
