import type { AddOn, CatalogueSpace } from './catalogue-space.ts';
import { calculatePrice, MAX_AMOUNT, type Money, taxInside } from './money.ts';
import { type RateTerms, ratesDuring } from './price-rates.ts';
import type { RequestProblem } from './request-problem.ts';
import { isSameSlot, lengthMs, type TimeSlot } from './time-slot.ts';

export interface AddOnSelection {
  addOnId: string;
  quantity: number;
}

/** What is to be priced. */
export interface PricedUse {
  slot: TimeSlot;
  headcount: number;
  addOns: readonly AddOnSelection[];
}

/** Whether the uses have the same slot, headcount and add-ons, these in any order. */
export function isSameUse(one: PricedUse, other: PricedUse): boolean {
  return (
    isSameSlot(one.slot, other.slot) &&
    one.headcount === other.headcount &&
    toSelectionKey(one.addOns) === toSelectionKey(other.addOns)
  );
}

/** The same text for the same add-ons and quantities, in any order. */
function toSelectionKey(addOns: readonly AddOnSelection[]): string {
  return addOns
    .map(({ addOnId, quantity }) => `${addOnId.toLowerCase()} ${quantity}`)
    .sort()
    .join();
}

/**
 * Amounts are in minor units of the quote's currency. `quantity` is hours for a RATE, else people or
 * pieces.
 */
export interface PriceLine {
  kind: 'RATE' | 'EXTRA_PEOPLE' | 'ADD_ON';
  label: string;
  quantity: number;
  unitPrice: number;
  amount: number;
}

export interface PriceQuote {
  lines: readonly PriceLine[];
  total: Money;
  /** Inside the total. */
  vat: Money;
}

/** The terms of a space that decide what a use costs. */
export type PriceTerms = RateTerms &
  Pick<
    CatalogueSpace,
    | 'name'
    | 'currency'
    | 'capacity'
    | 'includedHeadcount'
    | 'extraPersonHourlyRate'
    | 'addOns'
    | 'vatPercent'
  >;

const HOUR_MS = 3_600_000;

/**
 * What the use costs, line by line, or what is wrong with it. `holidays` are the dates YYYY-MM-DD of
 * public holidays around the slot. Each line is rounded half up once and exact; it is 0 only where its
 * rate is. Whether the slot may be booked is not checked.
 */
export function quotePrice(
  space: PriceTerms,
  use: PricedUse,
  holidays: ReadonlySet<string>,
): PriceQuote | RequestProblem {
  const problem = findHeadcountProblem(space, use) ?? findAddOnProblem(space, use);
  if (problem) return problem;
  const lines = [
    ...rateLines(space, use, holidays),
    extraPeopleLine(space, use),
    ...addOnLines(space, use),
  ].filter(({ quantity }) => quantity > 0);
  const amount = lines.reduce((sum, line) => sum + line.amount, 0);
  if (amount > MAX_AMOUNT) {
    return {
      field: 'slot',
      message: `The price exceeds ${MAX_AMOUNT}: choose a shorter slot, or fewer people and add-ons.`,
    };
  }
  const total = { amount, currency: space.currency };
  return { lines, total, vat: taxInside(total, space.vatPercent) };
}

/** The price above the maximum amount is too high, whatever it is. */
const TOO_HIGH = MAX_AMOUNT + 1;

function hourly(rate: number, durationMs: number): number {
  return calculatePrice(rate, durationMs) ?? TOO_HIGH;
}

function rateLines(
  space: PriceTerms,
  { slot }: PricedUse,
  holidays: ReadonlySet<string>,
): PriceLine[] {
  return ratesDuring(slot, space, holidays).map(({ label, hourlyRate, durationMs }) => ({
    kind: 'RATE',
    label,
    quantity: durationMs / HOUR_MS,
    unitPrice: hourlyRate,
    amount: hourly(hourlyRate, durationMs),
  }));
}

function extraPeopleLine(space: PriceTerms, { slot, headcount }: PricedUse): PriceLine {
  const quantity = Math.max(0, headcount - space.includedHeadcount);
  const unitPrice = hourly(space.extraPersonHourlyRate, lengthMs(slot));
  return {
    kind: 'EXTRA_PEOPLE',
    label: 'Extra people',
    quantity,
    unitPrice,
    amount: quantity * unitPrice,
  };
}

function addOnLines(space: PriceTerms, { slot, headcount, addOns }: PricedUse): PriceLine[] {
  return addOns.map(({ addOnId, quantity: pieces }) => {
    const { name, unit, price } = findAddOn(space, addOnId) as AddOn;
    const quantity = unit === 'PER_PERSON' ? pieces * headcount : pieces;
    const unitPrice = unit === 'PER_HOUR' ? hourly(price, lengthMs(slot)) : price;
    return { kind: 'ADD_ON', label: name, quantity, unitPrice, amount: quantity * unitPrice };
  });
}

function findHeadcountProblem(
  { name, capacity }: PriceTerms,
  { headcount }: PricedUse,
): RequestProblem | undefined {
  if (headcount < 1) return { field: 'headcount', message: 'At least one person must come.' };
  if (headcount > capacity) {
    return {
      field: 'headcount',
      message: `${name} takes at most ${capacity} people, not ${headcount}.`,
    };
  }
  return undefined;
}

function findAddOnProblem(space: PriceTerms, { addOns }: PricedUse): RequestProblem | undefined {
  const chosen = new Set<string>();
  for (const [index, { addOnId, quantity }] of addOns.entries()) {
    const field = `addOns[${index}]`;
    const addOn = findAddOn(space, addOnId);
    if (!addOn) {
      return { field: `${field}.addOnId`, message: `${space.name} has no such add-on.` };
    }
    if (chosen.has(addOn.id)) {
      return {
        field: `${field}.addOnId`,
        message: `${addOn.name} is listed twice: list it once, with its quantity.`,
      };
    }
    chosen.add(addOn.id);
    if (quantity < 1 || quantity > addOn.maxQuantity) {
      return {
        field: `${field}.quantity`,
        message: `The quantity of ${addOn.name} must be from 1 to ${addOn.maxQuantity}, not ${quantity}.`,
      };
    }
  }
  return undefined;
}

function findAddOn({ addOns }: PriceTerms, id: string): AddOn | undefined {
  return addOns.find((addOn) => addOn.id.toLowerCase() === id.toLowerCase());
}
