import type { Currency } from '../domain/money.ts';
import type { PriceLine } from '../domain/price-quote.ts';

/** A price line as the API shows it. */
export function toPriceLineFields(line: PriceLine, currency: Currency) {
  const { unitPrice, amount } = line;
  return { ...line, unitPrice: { amount: unitPrice, currency }, amount: { amount, currency } };
}
