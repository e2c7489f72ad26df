import { IANAZone } from 'luxon';
import type { InvalidSpace } from '../refusals.ts';
import type { Space } from '../space.ts';
import { bookingRulesProblem } from './booking-rules.ts';
import { amountProblem, invalid, rangeProblem, textProblem } from './fields.ts';
import { exceptionsProblem, openingHoursProblem } from './hours.ts';
import { amenitiesProblem, photosProblem } from './presentation.ts';
import { addOnsProblem, priceRulesProblem, tiersProblem } from './prices.ts';

const MAX_CAPACITY = 100_000;

/** What is wrong with the space as a whole; null: nothing. */
export function findProblem(space: Space): InvalidSpace | null {
  return (
    textProblem('name', 'name', space.name, 1, 200) ??
    textProblem('description', 'description', space.description, 0, 10_000) ??
    textProblem('address', 'address', space.address, 0, 1_000) ??
    zoneProblem(space.timeZone) ??
    rangeProblem('capacity', space.capacity, 1, MAX_CAPACITY) ??
    amountProblem('hourlyRate', space.hourlyRate) ??
    openingHoursProblem(space.openingHours) ??
    exceptionsProblem(space.openingExceptions) ??
    tiersProblem(space.refundTiers) ??
    bookingRulesProblem(space.bookingRules) ??
    priceRulesProblem(space.priceRules) ??
    includedHeadcountProblem(space) ??
    amountProblem('extraPersonHourlyRate', space.extraPersonHourlyRate) ??
    addOnsProblem(space.addOns) ??
    countryProblem(space.holidayCountry) ??
    rangeProblem('vatPercent', space.vatPercent, 0, 100) ??
    photosProblem(space.photos) ??
    amenitiesProblem(space.amenities)
  );
}

function zoneProblem(timeZone: string): InvalidSpace | null {
  if (IANAZone.isValidZone(timeZone) && /^(UTC|[A-Za-z_]+\/[\w+\-/]+)$/.test(timeZone)) return null;
  return invalid(
    'timeZone',
    `${JSON.stringify(timeZone)} is no IANA time zone: write one such as Asia/Seoul.`,
  );
}

function includedHeadcountProblem({ includedHeadcount, capacity }: Space): InvalidSpace | null {
  if (includedHeadcount >= 1 && includedHeadcount <= capacity) return null;
  return invalid(
    'includedHeadcount',
    `The included headcount must be from 1 to the capacity, ${capacity}, not ${includedHeadcount}.`,
  );
}

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

function countryProblem(country: string | null): InvalidSpace | null {
  // ZZ has a name, which says that it is unknown.
  if (country === null) return null;
  if (/^[A-Z]{2}$/.test(country) && country !== 'ZZ' && regions.of(country)) return null;
  return invalid(
    'holidayCountry',
    `${JSON.stringify(country)} is no country of ISO 3166-1: write one such as KR, or null for none.`,
  );
}
