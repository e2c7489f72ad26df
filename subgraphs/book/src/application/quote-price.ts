import { findSlotProblem, MAX_SLOT_MINUTES } from '../domain/booking-rules.ts';
import type { CatalogueSpace } from '../domain/catalogue-space.ts';
import {
  quotePrice as computeQuote,
  type PricedUse,
  type PriceQuote,
} from '../domain/price-quote.ts';
import { datesOf } from '../domain/price-rates.ts';
import { knownYears } from '../domain/public-holidays.ts';
import { type RefundTier, refundSchedule } from '../domain/refund-schedule.ts';
import type { InvalidBookingRequest, PriceChanged } from '../domain/refusals.ts';
import { isSameSlot, lengthMs, type TimeSlot } from '../domain/time-slot.ts';
import type { BookPorts } from '../ports.ts';

const MINUTE_MS = 60_000;

/**
 * What a booking would cost, or the rule that it breaks; whether the slot is free is not checked. A
 * request for a booking charges exactly this.
 */
export async function quotePrice(
  ports: BookPorts,
  space: CatalogueSpace,
  use: PricedUse,
  now: Date = ports.clock(),
): Promise<PriceQuote | InvalidBookingRequest> {
  const problem = findSlotProblem(use.slot, space, now);
  return problem ? { type: 'InvalidBookingRequest', ...problem } : computePrice(ports, space, use);
}

/** As {@link quotePrice}, for a booking of `bookedSlot`: that slot is booked, whatever the rules say now. */
export async function quoteChangedUse(
  ports: BookPorts,
  space: CatalogueSpace,
  use: PricedUse,
  bookedSlot: TimeSlot,
  now: Date,
): Promise<PriceQuote | InvalidBookingRequest> {
  return isSameSlot(use.slot, bookedSlot)
    ? computePrice(ports, space, use)
    : quotePrice(ports, space, use, now);
}

/**
 * The refusal of an amount that is not the one the customer was shown: of the price or of a difference, in minor
 * units. It shows the quote, with what cancelling would refund.
 */
export function toPriceChanged(
  what: 'price' | 'difference',
  amounts: { actual: number; expected: number },
  quote: PriceQuote,
  terms: { slot: TimeSlot; refundTiers: readonly RefundTier[]; timeZone: string },
): PriceChanged {
  const { total } = quote;
  return {
    type: 'PriceChanged',
    message: `The ${what} is ${amounts.actual} ${total.currency}, not ${amounts.expected}: look at the quote and try again.`,
    quote: {
      ...quote,
      refundSchedule: refundSchedule(total, terms.refundTiers, terms.slot.startAt, terms.timeZone),
    },
  };
}

async function computePrice(
  ports: BookPorts,
  space: CatalogueSpace,
  use: PricedUse,
): Promise<PriceQuote | InvalidBookingRequest> {
  const quote = computeQuote(space, use, await findHolidays(ports, space, use.slot));
  return 'field' in quote ? { type: 'InvalidBookingRequest', ...quote } : quote;
}

/**
 * The holidays around the slot, where the prices depend on them. None for a slot that no space can be booked
 * for: it has no price, and its years would have to be computed.
 */
export async function findHolidays(
  ports: BookPorts,
  { holidayCountry, priceRules, timeZone }: CatalogueSpace,
  slot: TimeSlot,
): Promise<ReadonlySet<string>> {
  if (holidayCountry === null || !priceRules.some(({ onHolidays }) => onHolidays)) return new Set();
  const years = knownYears(ports.clock());
  const isBookable =
    lengthMs(slot) <= MAX_SLOT_MINUTES * MINUTE_MS &&
    slot.startAt.getUTCFullYear() >= years.first &&
    slot.endAt.getUTCFullYear() <= years.last;
  if (!isBookable) return new Set();
  const { first, last } = datesOf(slot, timeZone);
  return ports.holidays.between(holidayCountry, first, last);
}
