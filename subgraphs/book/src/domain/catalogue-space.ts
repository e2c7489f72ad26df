import type { Currency } from './money.ts';
import type { DayOfWeek, OpeningException, OpeningHours } from './opening-hours.ts';
import type { RefundTier } from './refund-schedule.ts';

/** What book knows of a space: its own copy, so that bookings go on while space is down. */
export interface CatalogueSpace {
  id: string;
  hostId: string;
  name: string;
  timeZone: string;
  capacity: number;
  /** All rates and prices are in the currency's minor unit. */
  hourlyRate: number;
  currency: Currency;
  openingHours: readonly OpeningHours[];
  openingExceptions: readonly OpeningException[];
  refundTiers: readonly RefundTier[];
  /** Only ACTIVE spaces take bookings. */
  state: 'ACTIVE' | 'PAUSED' | 'ARCHIVED';
  /** APPROVAL asks the host before the charge. */
  bookingMode: 'INSTANT' | 'APPROVAL';
  bookingRules: BookingRules;
  priceRules: readonly PriceRule[];
  /** People included in the rate; each further one costs `extraPersonHourlyRate`. */
  includedHeadcount: number;
  extraPersonHourlyRate: number;
  addOns: readonly AddOn[];
  /** ISO 3166-1 alpha-2 country whose public holidays price rules mean; null: none. */
  holidayCountry: string | null;
  /** Inside all prices. */
  vatPercent: number;
  version: number;
}

/** Minutes and days of the space's zone. Starts and ends lie on the grid of `stepMinutes` from local midnight. */
export interface BookingRules {
  stepMinutes: number;
  minMinutes: number;
  maxMinutes: number;
  /** The slot starts at least so many minutes from now. */
  minNoticeMinutes: number;
  /** The slot starts at most so many days from now. */
  maxAdvanceDays: number;
  /** Kept free before and after every booking. */
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  /** How long the host may take to decide, at most; never later than the start. */
  approvalHours: number;
}

/**
 * The hourly rate of the minutes that meet every condition; null: no condition. Of several rules the
 * first one counts.
 */
export interface PriceRule {
  name: string;
  days: readonly DayOfWeek[] | null;
  onHolidays: boolean;
  /** Local times HH:MM; `to` before `from` runs over midnight. */
  from: string | null;
  to: string | null;
  /** Dates YYYY-MM-DD, both inclusive. */
  firstDate: string | null;
  lastDate: string | null;
  hourlyRate: number;
}

export interface AddOn {
  id: string;
  name: string;
  unit: 'PER_BOOKING' | 'PER_HOUR' | 'PER_PERSON';
  price: number;
  maxQuantity: number;
}
