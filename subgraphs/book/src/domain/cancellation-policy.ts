import { DateTime } from 'luxon';
import { type Money, percentOf } from './money.ts';

/** Cancelling at least `daysBefore` full days before the start refunds `percent`. */
export interface RefundTier {
  daysBefore: number;
  percent: number;
}

/**
 * What cancelling at `now` refunds of the price: the largest `daysBefore` that is met applies,
 * none met: 0. A full day is a calendar day of the space's zone: "1 day before Sunday 10:00" is
 * Saturday 10:00 by the wall clock, also where clocks change in between.
 */
export function refundByTier(
  price: Money,
  tiers: readonly RefundTier[],
  startAt: Date,
  timeZone: string,
  now: Date,
): Money {
  const start = DateTime.fromJSDate(startAt, { zone: timeZone });
  const met = tiers
    .filter((tier) => now.getTime() <= start.minus({ days: tier.daysBefore }).toMillis())
    .sort((a, b) => b.daysBefore - a.daysBefore);
  return percentOf(price, met[0]?.percent ?? 0);
}
