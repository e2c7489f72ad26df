import { findProblem } from './checks/space.ts';
import type { InvalidSpace } from './refusals.ts';
import type { Space } from './space.ts';
import { type SpaceTermsInput, withInput } from './space-changes.ts';
import { type BookingRules, DAYS, type OpeningHours, type RefundTier } from './space-terms.ts';

/** The fields of a space that its host sets. A term that is left out or null has its default. */
export type SpaceListing = Pick<
  Space,
  'name' | 'description' | 'address' | 'timeZone' | 'capacity' | 'hourlyRate' | 'currency'
> &
  SpaceTermsInput;

/** The terms of a space whose host sets none. */
export type DefaultTerms = Pick<
  Space,
  | 'state'
  | 'bookingMode'
  | 'bookingRules'
  | 'openingExceptions'
  | 'priceRules'
  | 'includedHeadcount'
  | 'extraPersonHourlyRate'
  | 'addOns'
  | 'holidayCountry'
  | 'vatPercent'
>;

/** What a listing does not say of a new space. */
export interface Creation {
  id: string;
  hostId: string;
  now: Date;
  terms: DefaultTerms;
  /** An id for each new add-on. */
  newId: () => string;
}

const DEFAULT_OPENING_HOURS: readonly OpeningHours[] = DAYS.map((day) => ({
  day,
  opens: '00:00',
  closes: '24:00',
}));

const DEFAULT_REFUND_TIERS: readonly RefundTier[] = [
  { daysBefore: 7, percent: 100 },
  { daysBefore: 1, percent: 50 },
];

/** A new space, or what is wrong with the listing. */
export function createSpace(listing: SpaceListing, creation: Creation): Space | InvalidSpace {
  const { id, hostId, now, terms, newId } = creation;
  const { name, description, address, timeZone, capacity, hourlyRate, currency } = listing;
  const plain: Space = {
    ...{ id, hostId, name, description, address, timeZone, capacity, hourlyRate, currency },
    ...terms,
    bookingRules: withFittingMinimum(terms.bookingRules, listing.bookingRules),
    openingHours: DEFAULT_OPENING_HOURS,
    refundTiers: DEFAULT_REFUND_TIERS,
    photos: [],
    amenities: [],
    version: 1,
    listedAt: now,
  };
  const space = withInput(plain, listing, newId);
  return 'type' in space ? space : (findProblem(space) ?? space);
}

/** The default minimum, or one step where the default is not on the listed grid or above the maximum. */
function withFittingMinimum(
  defaults: BookingRules,
  listed: SpaceTermsInput['bookingRules'],
): BookingRules {
  const step = listed?.stepMinutes ?? defaults.stepMinutes;
  const max = listed?.maxMinutes ?? defaults.maxMinutes;
  const fits = defaults.minMinutes % step === 0 && defaults.minMinutes <= max;
  return fits ? defaults : { ...defaults, minMinutes: step };
}
