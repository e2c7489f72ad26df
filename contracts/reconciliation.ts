import { z } from 'zod';

/**
 * What a context answers when book reconciles: its own record of each booking, for comparison. Nothing
 * is changed by asking, and a booking that the context does not know is left out of the response.
 */

/** Where payment, space and mypage serve their records, to services of the system alone. */
export const BOOKING_RECORDS_PATH = '/booking-records';
export const MAX_BOOKING_IDS = 500;

export const bookingRecordsRequest = z.object({
  bookingIds: z.array(z.uuid()).max(MAX_BOOKING_IDS),
});

/** Amounts are in the currency's minor unit. */
export const paymentRecord = z.object({
  bookingId: z.uuid(),
  paymentId: z.uuid(),
  status: z.string(),
  amount: z.int(),
  refunded: z.int(),
  /** What is owed to the customer; null: no refund was asked for. */
  refundDue: z.int().nullable(),
  /** Is the payment or its refund still under way, or an event of it not acknowledged yet? */
  isPassing: z.boolean(),
  /** Does the payment provider say that it charged the booking? Null: it does not respond. */
  chargedByProvider: z.boolean().nullable(),
});
export type PaymentRecord = z.infer<typeof paymentRecord>;

export const registrationRecord = z.object({
  bookingId: z.uuid(),
  paymentId: z.uuid().nullable(),
  spaceId: z.uuid(),
  startAt: z.iso.datetime(),
  endAt: z.iso.datetime(),
  status: z.string(),
  /** Is an event of it not acknowledged yet? */
  isPassing: z.boolean(),
  /** How many other registered uses of the space overlap with this one, if it is registered. */
  overlaps: z.int(),
});
export type RegistrationRecord = z.infer<typeof registrationRecord>;

export const viewRecord = z.object({
  bookingId: z.uuid(),
  status: z.string().nullable(),
  paymentStatus: z.string().nullable(),
  refunded: z.int(),
  registrationStatus: z.string().nullable(),
});
export type ViewRecord = z.infer<typeof viewRecord>;
