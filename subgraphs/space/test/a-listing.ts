import fc from 'fast-check';
import type { SpaceChanges, SpaceTermsInput } from '../src/domain/space-changes.ts';
import type { SpaceListing } from '../src/domain/space-listing.ts';
import { DAYS } from '../src/domain/space-terms.ts';

const MAX_INT = 2_147_483_647;
const amount = fc.oneof(fc.constantFrom(0, MAX_INT), fc.nat(MAX_INT));
// What JSON, JSONB and arrays of PostgreSQL could change.
const character = fc.constantFrom(
  ...['a', 'B', 'é', '강', '🎉', '"', '\\', "'", ',', '{', '}', ':', '%', '$1'],
);
const text = (minLength: number, maxLength: number) =>
  fc.array(character, { minLength, maxLength }).map((all) => all.join(''));

const time = (minute: number) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
/** At most three times of one day that do not overlap. */
const hoursOfDay = fc
  .uniqueArray(fc.integer({ min: 0, max: 1_440 }), { maxLength: 6 })
  .map((minutes) => {
    const sorted = minutes.sort((a, b) => a - b).map(time);
    return Array.from({ length: Math.floor(sorted.length / 2) }, (_, index) => ({
      opens: sorted[index * 2] as string,
      closes: sorted[index * 2 + 1] as string,
    }));
  });
const date = fc
  .integer({ min: Date.UTC(2026, 0) / 86_400_000, max: Date.UTC(2040, 0) / 86_400_000 })
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10));

const openingHours = fc
  .tuple(...DAYS.map(() => hoursOfDay))
  .map((days) => days.flatMap((hours, at) => hours.map((each) => ({ day: DAYS[at], ...each }))))
  .filter((hours) => hours.length > 0) as fc.Arbitrary<SpaceTermsInput['openingHours']>;

const openingExceptions = fc.uniqueArray(
  fc.record({ date, hours: hoursOfDay, reason: fc.option(text(0, 20)) }),
  { maxLength: 5, selector: (exception) => exception.date },
);

const DIVISORS = [1, 5, 10, 15, 20, 30, 45, 60, 90, 120, 480, 1_440];
const bookingRules = fc
  .tuple(fc.constantFrom(...DIVISORS), fc.integer({ min: 1, max: 31 }), fc.nat(31))
  .chain(([stepMinutes, min, more]) =>
    fc.record({
      stepMinutes: fc.constant(stepMinutes),
      minMinutes: fc.constant(Math.min(min * stepMinutes, 44_640)),
      maxMinutes: fc.constant(Math.min((min + more) * stepMinutes, 44_640)),
      minNoticeMinutes: fc.nat(525_600),
      maxAdvanceDays: fc.nat(3_650),
      bufferBeforeMinutes: fc.nat(1_440),
      bufferAfterMinutes: fc.option(fc.nat(1_440)),
      approvalHours: fc.integer({ min: 1, max: 720 }),
    }),
  )
  .map((rules) => ({
    ...rules,
    minNoticeMinutes: Math.min(rules.minNoticeMinutes, rules.maxAdvanceDays * 1_440),
  }));

const dates = fc.tuple(date, date).map((pair) => pair.sort());
const times = fc
  .tuple(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 0, max: 1_440 }))
  .filter(([from, to]) => from !== to);
const priceRule = fc
  .record({
    name: text(1, 20),
    days: fc.option(fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1 })),
    onHolidays: fc.option(fc.boolean()),
    times: fc.option(times),
    dates: fc.option(dates),
    hourlyRate: amount,
  })
  .map(({ times: range, dates: days, ...rule }) => ({
    ...rule,
    ...(range && { from: time(range[0]), to: time(range[1]) }),
    ...(days && { firstDate: days[0], lastDate: days[1] }),
  }));

/** A new add-on: those of the space keep their ids, which a random listing does not know. */
const addOn = fc.record({
  name: text(1, 20),
  unit: fc.constantFrom('PER_BOOKING', 'PER_HOUR', 'PER_PERSON'),
  price: amount,
  maxQuantity: fc.option(fc.integer({ min: 1, max: 100_000 })),
});

const terms = {
  openingHours,
  openingExceptions,
  refundTiers: fc.uniqueArray(fc.record({ daysBefore: fc.nat(3_650), percent: fc.nat(100) }), {
    maxLength: 5,
    selector: ({ daysBefore }) => daysBefore,
  }),
  bookingMode: fc.constantFrom('INSTANT', 'APPROVAL'),
  bookingRules,
  priceRules: fc.array(priceRule, { maxLength: 4 }),
  includedHeadcount: fc.integer({ min: 1, max: 50 }),
  extraPersonHourlyRate: amount,
  addOns: fc.array(addOn, { maxLength: 4 }),
  holidayCountry: fc.option(fc.constantFrom('KR', 'US', 'DE')),
  vatPercent: fc.nat(100),
  photos: fc.array(fc.record({ url: fc.webUrl({ validSchemes: ['https'] }), alt: text(0, 20) }), {
    maxLength: 4,
  }),
  amenities: fc.uniqueArray(text(1, 12), {
    maxLength: 6,
    selector: (amenity) => amenity.toLowerCase(),
  }),
};
const described = {
  name: text(1, 50),
  description: text(0, 50),
  address: text(0, 50),
  // Never below an included headcount.
  capacity: fc.integer({ min: 50, max: 100_000 }),
  hourlyRate: amount,
};

/** A listing that breaks no rule; any term may be left out or null. */
export const validListing = fc
  .record({
    required: fc.record({
      ...described,
      timeZone: fc.constantFrom('Asia/Seoul', 'UTC', 'America/Argentina/Buenos_Aires'),
      currency: fc.constantFrom('KRW', 'USD', 'EUR', 'JPY'),
    }),
    terms: fc.record(terms, { requiredKeys: [] }),
  })
  .map(({ required, terms: given }) => ({ ...required, ...given })) as fc.Arbitrary<SpaceListing>;

/** A change of such a space that breaks no rule. */
export const validChanges = fc.record(
  { ...described, ...terms, state: fc.constantFrom('ACTIVE', 'PAUSED', 'ARCHIVED') },
  { requiredKeys: [] },
) as fc.Arbitrary<SpaceChanges>;
