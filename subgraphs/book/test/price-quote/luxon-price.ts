import { DateTime } from 'luxon';
import type { PriceRule } from '../../src/domain/catalogue-space.ts';
import type { RateTerms } from '../../src/domain/price-rates.ts';
import type { TimeSlot } from '../../src/domain/time-slot.ts';
import { DAYS } from '../opening-hours/hours.ts';

const MINUTE_MS = 60_000;

/** The rate of every minute by luxon's wall clock: slow, and what the fast computation must equal. */
export function luxonRates(
  slot: TimeSlot,
  { timeZone, hourlyRate, priceRules }: RateTerms,
  holidays: ReadonlySet<string>,
): { label: string; hourlyRate: number; durationMs: number }[] {
  const minutes = new Map<string, { label: string; hourlyRate: number; durationMs: number }>();
  for (let at = slot.startAt.getTime(); at < slot.endAt.getTime(); at += MINUTE_MS) {
    const local = DateTime.fromMillis(at, { zone: timeZone });
    const rule = priceRules.find((rule) => appliesAt(rule, local, holidays));
    const label = rule?.name ?? 'Base rate';
    const rate = rule?.hourlyRate ?? hourlyRate;
    const line = minutes.get(`${label} ${rate}`) ?? { label, hourlyRate: rate, durationMs: 0 };
    line.durationMs += MINUTE_MS;
    minutes.set(`${label} ${rate}`, line);
  }
  return [...minutes.values()];
}

function appliesAt(rule: PriceRule, local: DateTime, holidays: ReadonlySet<string>): boolean {
  const time = toWallClock(local);
  const from = rule.from ?? '00:00';
  const to = rule.to ?? '24:00';
  // The calendar's day before, whether or not it has that time.
  const day = DateTime.utc(local.year, local.month, local.day);
  if (from < to) return from <= time && time < to && holdsOn(rule, day, holidays);
  return (
    (from <= time && holdsOn(rule, day, holidays)) ||
    (time < to && holdsOn(rule, day.minus({ days: 1 }), holidays))
  );
}

function holdsOn(rule: PriceRule, day: DateTime, holidays: ReadonlySet<string>): boolean {
  const date = day.toISODate() as string;
  if (rule.days && !rule.days.includes(DAYS[day.weekday - 1] as never)) return false;
  if (rule.onHolidays && !holidays.has(date)) return false;
  return (rule.firstDate ?? date) <= date && date <= (rule.lastDate ?? date);
}

// Faster than a format of luxon, which reads it for every minute.
function toWallClock({ hour, minute }: DateTime): string {
  return [hour, minute].map((part) => String(part).padStart(2, '0')).join(':');
}
