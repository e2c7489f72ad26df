import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import type { Currency } from '../domain/money.ts';
import type { PriceLine, PriceQuote } from '../domain/price-quote.ts';
import { refundSchedule } from '../domain/refund-schedule.ts';

/** GraphQL's PriceQuote of a slot that starts at `startAt`. */
export function toPriceQuote(
  { lines, total, vat }: PriceQuote,
  { refundTiers, timeZone }: Pick<CatalogueSpace, 'refundTiers' | 'timeZone'>,
  startAt: Date,
) {
  return {
    type: 'PriceQuote',
    lines: toPriceLines(lines, total.currency),
    total,
    vat,
    refundSchedule: refundSchedule(total, refundTiers, startAt, timeZone),
  };
}

/** GraphQL's PriceLines, whose amounts carry their currency. */
export function toPriceLines(lines: readonly PriceLine[], currency: Currency) {
  return lines.map(({ unitPrice, amount, ...line }) => ({
    ...line,
    unitPrice: { amount: unitPrice, currency },
    amount: { amount, currency },
  }));
}
