import type { Money } from './money.ts';
import { type RefundTier, refundAt, refundSchedule } from './refund-schedule.ts';

export type { RefundTier };

/**
 * What cancelling at `now` refunds of the price: the value of the refund schedule, so that what a
 * customer was shown and what a cancellation pays cannot differ.
 */
export function refundByTier(
  price: Money,
  tiers: readonly RefundTier[],
  startAt: Date,
  timeZone: string,
  now: Date,
): Money {
  return refundAt(refundSchedule(price, tiers, startAt, timeZone), now);
}
