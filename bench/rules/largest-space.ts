import { v7 as uuidv7 } from 'uuid';
import { defaultTerms } from '#contracts/space.ts';
import type { CatalogueSpace, PriceRule } from '../../subgraphs/book/src/domain/catalogue-space.ts';
import { DAYS_OF_WEEK } from '../../subgraphs/book/src/domain/opening-hours.ts';
import type { TimeSlot } from '../../subgraphs/book/src/domain/time-slot.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The longest lists that a host may set. */
const MAX_HOURS_A_DAY = 6;
const MAX_EXCEPTIONS = 400;
const MAX_PRICE_RULES = 50;
const MAX_ADD_ONS = 30;
const MAX_TIERS = 50;

const toWallClock = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Six opening hours a day; `isOpen`: that meet, so that the space never closes. */
function hoursOfDay(isOpen: boolean) {
  return times(MAX_HOURS_A_DAY, (index) => ({
    opens: toWallClock(index * 240),
    closes: toWallClock(index * 240 + (isOpen ? 240 : 200)),
  }));
}

/** Rules that cut every day into as many parts as there can be. */
function priceRule(index: number): PriceRule {
  return {
    name: `Rule ${index}`,
    days: DAYS_OF_WEEK,
    onHolidays: index % 10 === 9,
    from: toWallClock((index * 137) % 1_440),
    to: toWallClock((index * 137 + 61) % 1_440),
    firstDate: '2030-01-01',
    lastDate: '2031-12-31',
    hourlyRate: 10_000 + index,
  };
}

/** A space whose lists are all at their limits, from the day of `from` on. */
export function largestSpace(timeZone: string, from: Date, isOpen: boolean): CatalogueSpace {
  return {
    id: uuidv7(),
    hostId: 'host',
    name: 'Largest',
    timeZone,
    hourlyRate: 30_000,
    currency: 'KRW',
    ...defaultTerms(10),
    capacity: 10,
    openingHours: DAYS_OF_WEEK.flatMap((day) =>
      hoursOfDay(isOpen).map((hours) => ({ day, ...hours })),
    ),
    openingExceptions: times(MAX_EXCEPTIONS, (index) => ({
      date: new Date(from.getTime() + index * DAY_MS).toISOString().slice(0, 10),
      hours: hoursOfDay(isOpen),
      reason: 'exception',
    })),
    refundTiers: times(MAX_TIERS, (index) => ({ daysBefore: index, percent: index * 2 })),
    priceRules: times(MAX_PRICE_RULES, priceRule),
    includedHeadcount: 1,
    extraPersonHourlyRate: 5_000,
    addOns: times(MAX_ADD_ONS, (index) => ({
      id: `addon-${index}`,
      name: `Add-on ${index}`,
      unit: (['PER_BOOKING', 'PER_HOUR', 'PER_PERSON'] as const)[index % 3] ?? 'PER_HOUR',
      price: 1_000,
      maxQuantity: 3,
    })),
    version: 1,
  };
}

/** A hold of an hour in every two, in order. */
export function holdsFrom(from: Date, days: number): TimeSlot[] {
  return times(days * 12, (index) => {
    const startMs = from.getTime() + index * 120 * MINUTE_MS;
    return { startAt: new Date(startMs), endAt: new Date(startMs + 60 * MINUTE_MS) };
  });
}
