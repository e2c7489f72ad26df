import type { CatalogueSpace, PriceRule } from './catalogue-space.ts';
import { DAY_MS, LocalDays, parseDay, toDate, toDay, toMinutes, toWeekday } from './local-days.ts';
import { DAYS_OF_WEEK } from './opening-hours.ts';
import type { TimeSlot } from './time-slot.ts';

const MINUTE_MS = 60_000;
const MINUTES_OF_DAY = 1_440;

/** How long a rate applies to a slot, in milliseconds. */
export interface RateTime {
  label: string;
  hourlyRate: number;
  durationMs: number;
}

export const BASE_RATE_LABEL = 'Base rate';

export type RateTerms = Pick<CatalogueSpace, 'timeZone' | 'hourlyRate' | 'priceRules'>;

/**
 * The rates that apply to the slot, in the order in which they first do: at each time the first price
 * rule that applies to it, else the base rate. An hour that comes twice has its rate both times.
 */
export function ratesDuring(
  slot: TimeSlot,
  space: RateTerms,
  holidays: ReadonlySet<string>,
): RateTime[] {
  const rateOn = rateTable(space, holidays);
  const days = LocalDays.for(space.timeZone);
  const rates = new Map<string, RateTime>();
  const endMs = slot.endAt.getTime();
  for (let fromMs = slot.startAt.getTime(); fromMs < endMs; ) {
    const stretch = days.stretchAt(fromMs);
    const localMs = fromMs + stretch.offsetMs;
    const day = toDay(localMs);
    const part = partAt(rateOn(day), (localMs - day * DAY_MS) / MINUTE_MS);
    const partEndMs = day * DAY_MS + part.toMinute * MINUTE_MS - stretch.offsetMs;
    const toMs = Math.min(partEndMs, stretch.endMs, endMs);
    const { key, label, hourlyRate } = part.rate;
    const rate = rates.get(key) ?? { label, hourlyRate, durationMs: 0 };
    rates.set(key, rate);
    rate.durationMs += toMs - fromMs;
    fromMs = toMs;
  }
  return [...rates.values()];
}

/** The dates YYYY-MM-DD whose holidays matter to the slot: a night belongs to the date it begins on. */
export function datesOf(slot: TimeSlot, timeZone: string): { first: string; last: string } {
  const days = LocalDays.for(timeZone);
  return {
    first: toDate(days.dayAt(slot.startAt.getTime()) - 1),
    last: toDate(days.dayAt(slot.endAt.getTime())),
  };
}

/** What a line of the quote is for; rates with one `key` are one line. */
interface Rate {
  key: string;
  label: string;
  hourlyRate: number;
}

function toRate(label: string, hourlyRate: number): Rate {
  return { key: JSON.stringify([label, hourlyRate]), label, hourlyRate };
}

/** A part of a day with one rate, up to a minute after midnight by the wall clock. */
interface DayPart {
  toMinute: number;
  rate: Rate;
}

function partAt(parts: readonly DayPart[], minute: number): DayPart {
  return parts.find(({ toMinute }) => minute < toMinute) as DayPart;
}

/** The minutes of a day to which a rule applies; `key` tells it from those of other rules. */
interface Span {
  key: string;
  rate: Rate;
  from: number;
  to: number;
}

interface Window {
  rule: PriceRule;
  rate: Rate;
  from: number;
  to: number;
  firstDay: number;
  lastDay: number;
}

/** The parts of each day, in order. Most days have the same ones: they are made once. */
function rateTable(
  { hourlyRate, priceRules }: RateTerms,
  holidays: ReadonlySet<string>,
): (day: number) => readonly DayPart[] {
  const base = toRate(BASE_RATE_LABEL, hourlyRate);
  const windows = priceRules.map(toWindow);
  const byDay = new Map<number, DayPart[]>();
  const bySpans = new Map<string, DayPart[]>();
  return (day) => {
    const known = byDay.get(day);
    if (known) return known;
    const spans = spansOn(day, windows, holidays);
    const key = spans.map((span) => span.key).join();
    const parts = bySpans.get(key) ?? toParts(spans, base);
    bySpans.set(key, parts);
    byDay.set(day, parts);
    return parts;
  };
}

function toWindow(rule: PriceRule): Window {
  return {
    rule,
    rate: toRate(rule.name, rule.hourlyRate),
    from: rule.from === null ? 0 : toMinutes(rule.from),
    to: rule.to === null ? MINUTES_OF_DAY : toMinutes(rule.to),
    firstDay: rule.firstDate === null ? Number.NEGATIVE_INFINITY : parseDay(rule.firstDate),
    lastDay: rule.lastDate === null ? Number.POSITIVE_INFINITY : parseDay(rule.lastDate),
  };
}

/** In the order of the rules. */
function spansOn(day: number, windows: readonly Window[], holidays: ReadonlySet<string>): Span[] {
  const spans: Span[] = [];
  for (const [index, window] of windows.entries()) {
    const { rate, from, to } = window;
    const runsOverMidnight = to <= from;
    if (appliesOn(window, day, holidays)) {
      spans.push({ key: `${index}`, rate, from, to: runsOverMidnight ? MINUTES_OF_DAY : to });
    }
    if (runsOverMidnight && appliesOn(window, day - 1, holidays)) {
      spans.push({ key: `${index}+`, rate, from: 0, to });
    }
  }
  return spans;
}

/** The first of the spans that contains a minute has its rate. */
function toParts(spans: readonly Span[], base: Rate): DayPart[] {
  const edges = new Set([0, MINUTES_OF_DAY, ...spans.flatMap(({ from, to }) => [from, to])]);
  const minutes = [...edges].sort((a, b) => a - b);
  return minutes.slice(1).map((toMinute, index) => {
    const minute = minutes[index] as number;
    const span = spans.find(({ from, to }) => from <= minute && minute < to);
    return { toMinute, rate: span?.rate ?? base };
  });
}

/** Do the conditions on the date hold on that day? A window belongs to the day on which it begins. */
function appliesOn(
  { rule, firstDay, lastDay }: Window,
  day: number,
  holidays: ReadonlySet<string>,
): boolean {
  if (day < firstDay || day > lastDay) return false;
  if (rule.days && !rule.days.includes(DAYS_OF_WEEK[toWeekday(day)] as never)) return false;
  return !rule.onHolidays || holidays.has(toDate(day));
}
