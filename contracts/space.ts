import { z } from 'zod';
import { currency } from './values.ts';

export const dayOfWeek = z.enum([
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
]);
/** Local wall-clock times HH:MM; `closes` may be 24:00. */
const hoursOfDay = z.object({ opens: z.string(), closes: z.string() });
export const openingHours = hoursOfDay.extend({ day: dayOfWeek });
export const refundTier = z.object({
  daysBefore: z.int().min(0),
  percent: z.int().min(0).max(100),
});
/** A calendar date YYYY-MM-DD in the space's time zone. */
const localDate = z.iso.date();

/** Replaces the week's hours on one date; no hours: closed. */
export const openingException = z.object({
  date: localDate,
  hours: z.array(hoursOfDay),
  reason: z.string(),
});

/** Which slots may be booked. Minutes of the grid count from local midnight. */
export const bookingRules = z.object({
  stepMinutes: z.int().min(1),
  minMinutes: z.int().min(1),
  maxMinutes: z.int().min(1),
  minNoticeMinutes: z.int().min(0),
  maxAdvanceDays: z.int().min(0),
  bufferBeforeMinutes: z.int().min(0),
  bufferAfterMinutes: z.int().min(0),
  approvalHours: z.int().min(1),
});

/** A condition that is null does not restrict; the first rule that applies to a minute sets its rate. */
export const priceRule = z.object({
  name: z.string(),
  days: z.array(dayOfWeek).nullable(),
  onHolidays: z.boolean(),
  /** Local times HH:MM; `to` before `from` runs over midnight. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  firstDate: localDate.nullable(),
  lastDate: localDate.nullable(),
  hourlyRate: z.int().min(0),
});

export const addOn = z.object({
  id: z.uuid(),
  name: z.string(),
  unit: z.enum(['PER_BOOKING', 'PER_HOUR', 'PER_PERSON']),
  price: z.int().min(0),
  maxQuantity: z.int().min(1),
});

/** The whole space after the event, as far as other contexts need it. Amounts are in minor units. */
const spacePayload = z.object({
  spaceId: z.uuid(),
  hostId: z.string(),
  name: z.string(),
  timeZone: z.string(),
  capacity: z.int().min(1),
  hourlyRate: z.int().min(0),
  currency,
  openingHours: z.array(openingHours),
  refundTiers: z.array(refundTier),
  /** Only ACTIVE spaces take bookings. */
  state: z.enum(['ACTIVE', 'PAUSED', 'ARCHIVED']),
  bookingMode: z.enum(['INSTANT', 'APPROVAL']),
  bookingRules,
  openingExceptions: z.array(openingException),
  priceRules: z.array(priceRule),
  includedHeadcount: z.int().min(1),
  /** For each person above `includedHeadcount`. */
  extraPersonHourlyRate: z.int().min(0),
  addOns: z.array(addOn),
  /** ISO 3166-1 alpha-2; null: no public holidays. */
  holidayCountry: z.string().nullable(),
  /** Inside all prices. */
  vatPercent: z.int().min(0).max(100),
});
export type SpacePayload = z.infer<typeof spacePayload>;

/** The rules of a space whose host sets none. */
export const DEFAULT_BOOKING_RULES: z.infer<typeof bookingRules> = {
  stepMinutes: 30,
  minMinutes: 30,
  maxMinutes: 31 * 24 * 60,
  minNoticeMinutes: 0,
  maxAdvanceDays: 365,
  bufferBeforeMinutes: 0,
  bufferAfterMinutes: 0,
  approvalHours: 24,
};
export const DEFAULT_VAT_PERCENT = 10;

/** The terms of a space whose host sets none. */
export function defaultTerms(capacity: number) {
  return {
    state: 'ACTIVE',
    bookingMode: 'INSTANT',
    bookingRules: DEFAULT_BOOKING_RULES,
    openingExceptions: [],
    priceRules: [],
    includedHeadcount: capacity,
    extraPersonHourlyRate: 0,
    addOns: [],
    holidayCountry: null,
    vatPercent: DEFAULT_VAT_PERCENT,
  } as const satisfies Partial<SpacePayload>;
}

/** Version 1 had no terms. */
function upcastSpace(older: { capacity: number }) {
  return { ...older, ...defaultTerms(older.capacity) };
}

/** The whole state of the registration after the event. `paymentId` is null for a tombstone. */
const registrationPayload = z.object({
  registrationId: z.uuid(),
  bookingId: z.uuid(),
  paymentId: z.uuid().nullable(),
  status: z.enum(['REGISTERED', 'CANCELLED', 'REJECTED']),
  reason: z.string().nullable(),
});
export type RegistrationPayload = z.infer<typeof registrationPayload>;

const movedPayload = registrationPayload.extend({
  /** The version of the booking whose slot is registered now. */
  bookingVersion: z.int(),
});

export const spaceEvents = {
  SpaceListed: { topic: 'space', payload: spacePayload, upcasts: [upcastSpace] },
  /** The host changed the space. Bookings keep the price and policy that they were made with. */
  SpaceChanged: { topic: 'space', payload: spacePayload },
  Registered: { topic: 'registration', payload: registrationPayload },
  /** The registered use has the slot of a rescheduled booking. Book releases the slot before. */
  RegistrationMoved: { topic: 'registration', payload: movedPayload },
  /** The use cannot be registered. Book cancels the booking. */
  RegistrationRejected: {
    topic: 'registration',
    payload: registrationPayload,
  },
  /** No use is registered for the booking, now or later. */
  RegistrationCancelled: {
    topic: 'registration',
    payload: registrationPayload,
  },
} as const;
