import { Booking, type BookingState } from '../domain/booking.ts';
import type { Currency } from '../domain/money.ts';

/** A row of the table `booking`, as {@link COLUMNS} selects it. */
export type BookingRow = Omit<BookingState, 'slot' | 'price' | 'refund'> & {
  startAt: Date;
  endAt: Date;
  priceAmount: number;
  currency: Currency;
  refundAmount: number | null;
};

export const COLUMNS = `
  id, customer_id AS "customerId", idempotency_key AS "idempotencyKey", space_id AS "spaceId",
  host_id AS "hostId", space_name AS "spaceName", time_zone AS "timeZone", start_at AS "startAt",
  end_at AS "endAt", headcount, price_amount AS "priceAmount", currency,
  refund_tiers AS "refundTiers", payment_method AS "paymentMethod", status, version,
  requested_at AS "requestedAt", hold_expires_at AS "holdExpiresAt",
  payment_attempts AS "paymentAttempts", next_payment_attempt_at AS "nextPaymentAttemptAt",
  refund_amount AS "refundAmount", payment_cancelled AS "paymentCancelled",
  registration_cancelled AS "registrationCancelled", correlation_id AS "correlationId"`;

export function toBooking(row: BookingRow): Booking {
  const { startAt, endAt, priceAmount, currency, refundAmount, ...rest } = row;
  return new Booking({
    ...rest,
    slot: { startAt, endAt },
    price: { amount: priceAmount, currency },
    refund: refundAmount === null ? null : { amount: refundAmount, currency },
  });
}
