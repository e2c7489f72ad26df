import type {
  AddOn,
  BookingRules,
  OpeningException,
  OpeningHours,
  Photo,
  PriceRule,
  RefundTier,
} from './space-terms.ts';

export type Currency = 'KRW' | 'USD' | 'EUR' | 'JPY';

/** Only ACTIVE spaces take bookings; PAUSED ones are shown, ARCHIVED ones exist for their bookings alone. */
export type SpaceState = 'ACTIVE' | 'PAUSED' | 'ARCHIVED';

/** A space of the catalogue. Rates and prices are in the currency's minor unit. */
export interface Space {
  id: string;
  hostId: string;
  name: string;
  description: string;
  address: string;
  timeZone: string;
  capacity: number;
  hourlyRate: number;
  currency: Currency;
  openingHours: readonly OpeningHours[];
  openingExceptions: readonly OpeningException[];
  refundTiers: readonly RefundTier[];
  state: SpaceState;
  /** APPROVAL asks the host before the charge. */
  bookingMode: 'INSTANT' | 'APPROVAL';
  bookingRules: BookingRules;
  /** The first rule that applies to a minute sets its rate; none: `hourlyRate`. */
  priceRules: readonly PriceRule[];
  /** People included in the rate; each further one costs `extraPersonHourlyRate`. */
  includedHeadcount: number;
  extraPersonHourlyRate: number;
  addOns: readonly AddOn[];
  /** ISO 3166-1 alpha-2 country whose public holidays price rules mean; null: none. */
  holidayCountry: string | null;
  /** Inside all prices. */
  vatPercent: number;
  photos: readonly Photo[];
  amenities: readonly string[];
  /** Rises with every change by the host. */
  version: number;
  listedAt: Date;
}

/** The terms that make a space large: 400 exceptions of 6 hours have more than 100 kB. */
export const LONG_TERMS = [
  ...(['openingHours', 'openingExceptions', 'refundTiers', 'bookingRules'] as const),
  ...(['priceRules', 'addOns', 'photos', 'amenities'] as const),
] as const;
export type LongTerm = (typeof LONG_TERMS)[number];
export type LongTerms = Pick<Space, LongTerm>;

/** A space as a page of the catalogue has it. */
export type FoundSpace = Omit<Space, LongTerm>;
