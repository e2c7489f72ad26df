export const DAYS = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const;
export type DayOfWeek = (typeof DAYS)[number];

/** Local wall-clock times HH:MM; `closes` may be 24:00. */
export interface HoursOfDay {
  opens: string;
  closes: string;
}

export interface OpeningHours extends HoursOfDay {
  day: DayOfWeek;
}

/** Replaces the week's hours on one date YYYY-MM-DD of the space's zone; no hours: closed. */
export interface OpeningException {
  date: string;
  hours: readonly HoursOfDay[];
  reason: string;
}

/** Cancelling at least `daysBefore` full days before the start refunds `percent`. */
export interface RefundTier {
  daysBefore: number;
  percent: number;
}

/** Which slots may be booked. Starts and ends lie on the grid of `stepMinutes` from local midnight. */
export interface BookingRules {
  stepMinutes: number;
  minMinutes: number;
  maxMinutes: number;
  /** The slot starts at least so many minutes from the request. */
  minNoticeMinutes: number;
  /** The slot starts at most so many days from the request. */
  maxAdvanceDays: number;
  /** Kept free before and after every booking. */
  bufferBeforeMinutes: number;
  bufferAfterMinutes: number;
  /** How long the host may take to approve a booking, at most. */
  approvalHours: number;
}

/** The hourly rate of the minutes that meet every condition; null: no condition. */
export interface PriceRule {
  name: string;
  days: readonly DayOfWeek[] | null;
  onHolidays: boolean;
  /** Local times HH:MM; `to` may be 24:00, and before `from` it runs over midnight. */
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

export interface Photo {
  url: string;
  alt: string;
}

/** The amenity as the search compares it: without regard to case, and to how accents are encoded. */
export function toAmenityKey(amenity: string): string {
  return amenity.trim().normalize('NFC').toLowerCase();
}
