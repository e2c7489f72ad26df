import { z } from 'zod';
import { currency } from './values.ts';

/**
 * Requests and responses of the reconciliation: each context's own record of a booking, which book compares
 * with its own. The requests change nothing; the response omits bookings that the context does not have.
 */

/** The internal endpoint at which payment, space and mypage serve their records. */
export const BOOKING_RECORDS_PATH = '/booking-records';
export const MAX_BOOKING_IDS = 500;
/** The internal endpoint at which they list the bookings that they have records of, in the order of the ids. */
export const BOOKING_IDS_PATH = '/booking-ids';

export const bookingIdsRequest = z.object({
  after: z.uuid(),
  limit: z.int().min(1).max(MAX_BOOKING_IDS),
});
export const bookingIdsResponse = z.object({ bookingIds: z.array(z.uuid()) });

export const bookingRecordsRequest = z.object({
  bookingIds: z.array(z.uuid()).max(MAX_BOOKING_IDS),
});

/** What payment and mypage know of the booking itself, for the case that book has lost it. */
export const knownBooking = z.object({
  customerId: z.string(),
  spaceId: z.uuid(),
  startAt: z.iso.datetime(),
  endAt: z.iso.datetime(),
  price: z.int(),
  currency,
});
export type KnownBooking = z.infer<typeof knownBooking>;

/** Amounts are in the currency's minor unit. */
export const paymentRecord = z.object({
  bookingId: z.uuid(),
  paymentId: z.uuid(),
  status: z.string(),
  amount: z.int(),
  refunded: z.int(),
  /** Of `refunded`, what operators gave back beyond the policy; release 0.2.0 knows none. */
  goodwill: z.int().default(0),
  /** Of `refunded`, what was given back because the booking changed; release 0.2.0 knows none. */
  refundedForChanges: z.int().default(0),
  /** The amount owed for the cancellation, at most what goodwill leaves of the charge; null: none was requested. */
  refundDue: z.int().nullable(),
  /** Is the payment or its refund in progress, or one of its events not acknowledged yet? */
  isPassing: z.boolean(),
  /** Has the payment provider charged the booking, by its own record? Null: it does not respond. */
  chargedByProvider: z.boolean().nullable(),
  /** Absent in responses of release 0.2.0. */
  booking: knownBooking.optional(),
});
export type PaymentRecord = z.infer<typeof paymentRecord>;

export const registrationRecord = z.object({
  bookingId: z.uuid(),
  paymentId: z.uuid().nullable(),
  spaceId: z.uuid(),
  startAt: z.iso.datetime(),
  endAt: z.iso.datetime(),
  status: z.string(),
  /** Is one of its events not acknowledged yet? */
  isPassing: z.boolean(),
  /** The number of other registered uses of the space that overlap with this one, if it is registered. */
  overlaps: z.int(),
});
export type RegistrationRecord = z.infer<typeof registrationRecord>;

export const viewRecord = z.object({
  bookingId: z.uuid(),
  status: z.string().nullable(),
  paymentStatus: z.string().nullable(),
  refunded: z.int(),
  registrationStatus: z.string().nullable(),
  /** Null while its booking's event has not come; absent in responses of release 0.2.0. */
  booking: knownBooking.nullable().optional(),
});
export type ViewRecord = z.infer<typeof viewRecord>;
