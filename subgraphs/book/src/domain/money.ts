export type Currency = 'KRW' | 'USD' | 'EUR' | 'JPY';

/** An amount in the currency's minor unit; never negative, never above {@link MAX_AMOUNT}. */
export interface Money {
  amount: number;
  currency: Currency;
}

/** GraphQL's Int ends here (GraphQL specification, section 3.5.1). */
export const MAX_AMOUNT = 2 ** 31 - 1;

const HOUR_MS = 3_600_000n;

/**
 * The price of `durationMs` at an hourly rate, in minor units, rounded half up; only a rate or a
 * duration of 0 costs nothing. Undefined when it exceeds {@link MAX_AMOUNT}. Exact: the product may
 * exceed what a number holds.
 */
export function calculatePrice(hourlyRate: number, durationMs: number): number | undefined {
  const exact = BigInt(hourlyRate) * BigInt(durationMs);
  const rounded = (2n * exact + HOUR_MS) / (2n * HOUR_MS);
  if (rounded === 0n && exact > 0n) return 1;
  return rounded <= BigInt(MAX_AMOUNT) ? Number(rounded) : undefined;
}

/** `percent` of the money, rounded half up to the minor unit. */
export function percentOf(money: Money, percent: number): Money {
  return { ...money, amount: Math.floor((2 * money.amount * percent + 100) / 200) };
}

/** The share of a tax of `percent` that is inside the money, rounded half up to the minor unit. */
export function taxInside(money: Money, percent: number): Money {
  const divisor = 100 + percent;
  return { ...money, amount: Math.floor((2 * money.amount * percent + divisor) / (2 * divisor)) };
}
