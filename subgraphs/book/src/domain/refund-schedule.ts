import { LocalDays } from './local-days.ts';
import { type Money, percentOf } from './money.ts';

/** Cancelling at least `daysBefore` full days before the start refunds `percent`. */
export interface RefundTier {
  daysBefore: number;
  percent: number;
}

/** What cancelling up to and including `until` refunds; null: from the step before on, for ever. */
export interface RefundStep {
  until: Date | null;
  percent: number;
  refund: Money;
}

/**
 * What cancelling refunds of the price, over time: the steps in order, each with another percentage
 * than the next. A tier is met until `daysBefore` calendar days of the zone before the start: "1 day
 * before Sunday 10:00" is Saturday 10:00 by the wall clock, also where clocks change in between. Of
 * the tiers that are met the one with the most days applies, and none met refunds nothing.
 */
export function refundSchedule(
  price: Money,
  tiers: readonly RefundTier[],
  startAt: Date,
  timeZone: string,
): RefundStep[] {
  const days = LocalDays.for(timeZone);
  const steps: { untilMs: number; percent: number }[] = [];
  for (const { daysBefore, percent } of [...tiers].sort((a, b) => b.daysBefore - a.daysBefore)) {
    const untilMs = days.plusDays(startAt.getTime(), -daysBefore);
    // A zone may skip a date: of tiers that end at one instant the one with more days applies.
    if (untilMs > (steps.at(-1)?.untilMs ?? Number.NEGATIVE_INFINITY)) {
      steps.push({ untilMs, percent });
    }
  }
  steps.push({ untilMs: Number.POSITIVE_INFINITY, percent: 0 });
  return steps
    .filter(({ percent }, index) => percent !== steps[index + 1]?.percent)
    .map(({ untilMs, percent }) => ({
      until: untilMs === Number.POSITIVE_INFINITY ? null : new Date(untilMs),
      percent,
      refund: percentOf(price, percent),
    }));
}

/** What cancelling at `now` refunds. The last step of a schedule holds for ever. */
export function refundAt(schedule: readonly RefundStep[], now: Date): Money {
  const step = schedule.find(({ until }) => until === null || now <= until) as RefundStep;
  return step.refund;
}
