import { IANAZone } from 'luxon';
import type { InvalidSpace } from './refusals.ts';

export type Currency = 'KRW' | 'USD' | 'EUR' | 'JPY';

const DAYS = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
] as const;

/** Local wall-clock times HH:MM; `closes` may be 24:00. */
export interface OpeningHours {
  day: (typeof DAYS)[number];
  opens: string;
  closes: string;
}

/** Cancelling at least `daysBefore` full days before the start refunds `percent`. */
export interface RefundTier {
  daysBefore: number;
  percent: number;
}

export interface Space {
  id: string;
  hostId: string;
  name: string;
  description: string;
  address: string;
  timeZone: string;
  capacity: number;
  /** In the currency's minor unit. */
  hourlyRate: number;
  currency: Currency;
  openingHours: readonly OpeningHours[];
  refundTiers: readonly RefundTier[];
  version: number;
  listedAt: Date;
}

/** The fields of a space that its host sets. */
export type SpaceListing = Pick<
  Space,
  'name' | 'description' | 'address' | 'timeZone' | 'capacity' | 'hourlyRate' | 'currency'
> & {
  /** Default: open every day from 00:00 to 24:00. */
  openingHours?: readonly OpeningHours[] | null | undefined;
  /** Default: 7 days 100 %, 1 day 50 %. */
  refundTiers?: readonly RefundTier[] | null | undefined;
};

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
export function createSpace(
  listing: SpaceListing,
  creation: { id: string; hostId: string; now: Date },
): Space | InvalidSpace {
  const openingHours = listing.openingHours ?? DEFAULT_OPENING_HOURS;
  const refundTiers = listing.refundTiers ?? DEFAULT_REFUND_TIERS;
  const problem =
    textProblem('name', listing.name, 1, 200) ??
    textProblem('description', listing.description, 0, 10_000) ??
    textProblem('address', listing.address, 0, 1_000) ??
    zoneProblem(listing.timeZone) ??
    (listing.capacity < 1 ? invalid('capacity', 'A space takes at least one person.') : null) ??
    (listing.hourlyRate < 0 ? invalid('hourlyRate', 'The rate must not be negative.') : null) ??
    hoursProblem(openingHours) ??
    tiersProblem(refundTiers);
  if (problem) return problem;
  return {
    ...listing,
    name: listing.name.trim(),
    openingHours,
    refundTiers,
    id: creation.id,
    hostId: creation.hostId,
    version: 1,
    listedAt: creation.now,
  };
}

function textProblem(
  field: string,
  text: string,
  minLength: number,
  maxLength: number,
): InvalidSpace | null {
  // Line breaks and tabs are allowed in a description.
  if (/(?![\n\r\t])\p{Cc}/u.test(text)) {
    return invalid(field, `The ${field} must not hold control characters.`);
  }
  const length = text.trim().length;
  if (length >= minLength && length <= maxLength) return null;
  return invalid(field, `The ${field} must have ${minLength} to ${maxLength} characters.`);
}

function zoneProblem(timeZone: string): InvalidSpace | null {
  if (IANAZone.isValidZone(timeZone) && /^(UTC|[A-Za-z_]+\/[\w+\-/]+)$/.test(timeZone)) return null;
  return invalid(
    'timeZone',
    `${JSON.stringify(timeZone)} is no IANA time zone: write one such as Asia/Seoul.`,
  );
}

/** A limit against denial of service: every search for free slots reads all opening hours. */
const MAX_HOURS_PER_DAY = 6;

const OPENS = /^([01]\d|2[0-3]):[0-5]\d$/;
const CLOSES = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

function hoursProblem(hours: readonly OpeningHours[]): InvalidSpace | null {
  if (hours.length === 0) {
    return invalid(
      'openingHours',
      'A space must be open at some time: leave the field out for always.',
    );
  }
  const perDay = new Map<OpeningHours['day'], number>();
  for (const [index, { day, opens, closes }] of hours.entries()) {
    const field = `openingHours[${index}]`;
    const entries = (perDay.get(day) ?? 0) + 1;
    if (entries > MAX_HOURS_PER_DAY) {
      return invalid(`${field}.day`, `A day has at most ${MAX_HOURS_PER_DAY} opening hours.`);
    }
    perDay.set(day, entries);
    if (!OPENS.test(opens)) return invalid(`${field}.opens`, 'Write HH:MM, from 00:00 to 23:59.');
    if (!CLOSES.test(closes))
      return invalid(`${field}.closes`, 'Write HH:MM, from 00:01 to 24:00.');
    if (closes <= opens) {
      return invalid(
        `${field}.closes`,
        'A space closes after it opens: for a night, write two entries that meet at 24:00.',
      );
    }
    const overlaps = hours.some(
      (other, at) =>
        at < index && other.day === day && other.opens < closes && opens < other.closes,
    );
    if (overlaps) return invalid(field, `The opening hours of ${day} overlap.`);
  }
  return null;
}

function tiersProblem(tiers: readonly RefundTier[]): InvalidSpace | null {
  for (const [index, { daysBefore, percent }] of tiers.entries()) {
    const field = `refundTiers[${index}]`;
    if (daysBefore < 0 || daysBefore > 3650) {
      return invalid(`${field}.daysBefore`, 'Write a number of days from 0 to 3650.');
    }
    if (percent < 0 || percent > 100) {
      return invalid(`${field}.percent`, 'Write a percentage from 0 to 100.');
    }
    if (tiers.some((other, at) => at < index && other.daysBefore === daysBefore)) {
      return invalid(`${field}.daysBefore`, `Two tiers are for ${daysBefore} days.`);
    }
  }
  return null;
}

function invalid(field: string, message: string): InvalidSpace {
  return { type: 'InvalidSpace', field, message };
}
