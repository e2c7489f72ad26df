import { DEFAULT_VAT_PERCENT } from '#contracts/space.ts';
import { Booking } from '../domain/booking.ts';
import type { BookingState } from '../domain/booking-state.ts';
import { type Currency, taxInside } from '../domain/money.ts';
import type { PriceLine } from '../domain/price-quote.ts';
import { BASE_RATE_LABEL } from '../domain/price-rates.ts';
import { lengthMs } from '../domain/time-slot.ts';

const HOUR_MS = 3_600_000;

/** A row of the table `booking`, as {@link COLUMNS} selects it. */
export type BookingRow = Omit<
  BookingState,
  'slot' | 'price' | 'priceLines' | 'vat' | 'refund' | 'goodwill' | 'openChange'
> & {
  startAt: Date;
  endAt: Date;
  priceAmount: number;
  /** Null in bookings of release 0.2.0. */
  priceLines: readonly PriceLine[] | null;
  vatAmount: number | null;
  currency: Currency;
  refundAmount: number | null;
  goodwillAmount: number;
  changeId: string | null;
  changeVersion: number | null;
};

export const COLUMNS = `
  id, customer_id AS "customerId", idempotency_key AS "idempotencyKey", space_id AS "spaceId",
  host_id AS "hostId", space_name AS "spaceName", time_zone AS "timeZone", start_at AS "startAt",
  end_at AS "endAt", headcount, price_amount AS "priceAmount", currency,
  refund_tiers AS "refundTiers", payment_method AS "paymentMethod", status, version,
  requested_at AS "requestedAt", hold_expires_at AS "holdExpiresAt",
  payment_attempts AS "paymentAttempts", next_payment_attempt_at AS "nextPaymentAttemptAt",
  refund_amount AS "refundAmount", payment_cancelled AS "paymentCancelled",
  registration_cancelled AS "registrationCancelled", correlation_id AS "correlationId",
  price_lines AS "priceLines", vat_amount AS "vatAmount", add_ons AS "addOns", note,
  buffer_before_minutes AS "bufferBeforeMinutes", buffer_after_minutes AS "bufferAfterMinutes",
  decision, rejection_reason AS "rejectionReason", goodwill_amount AS "goodwillAmount",
  change_id AS "changeId", change_version AS "changeVersion"`;

export function toBooking(row: BookingRow): Booking {
  const { startAt, endAt, priceAmount, priceLines, vatAmount, currency, ...others } = row;
  const { refundAmount, goodwillAmount, changeId, changeVersion, ...rest } = others;
  const slot = { startAt, endAt };
  const price = { amount: priceAmount, currency };
  return new Booking({
    ...rest,
    slot,
    price,
    priceLines: priceLines ?? [toOnlyLine(priceAmount, lengthMs(slot))],
    vat:
      vatAmount === null ? taxInside(price, DEFAULT_VAT_PERCENT) : { amount: vatAmount, currency },
    refund: refundAmount === null ? null : { amount: refundAmount, currency },
    goodwill: { amount: goodwillAmount, currency },
    openChange: changeId === null ? null : { id: changeId, appliedIn: changeVersion },
  });
}

/** The line of a booking whose space had nothing but an hourly rate. */
function toOnlyLine(amount: number, slotMs: number): PriceLine {
  const quantity = slotMs / HOUR_MS;
  return {
    kind: 'RATE',
    label: BASE_RATE_LABEL,
    quantity,
    unitPrice: Math.round(amount / quantity),
    amount,
  };
}

/** What an insert of a booking returns: nulls where it was refused. */
export interface InsertedRow {
  /** How many unpaid holds the customer had before. */
  unpaid: number;
  requestedAt: Date | null;
  holdExpiresAt: Date;
  nextPaymentAttemptAt: Date;
}

/** The values of an insert: of the booking, and what is written with it. */
export type InsertValues = ReturnType<typeof toInsertValues> & {
  maxUnpaidHolds: number;
  events: string;
  auditEntry: string;
};

/** Instants as durations after the request: the database adds them to its own clock. */
export function toInsertValues({ state }: Booking) {
  const requestedMs = state.requestedAt.getTime();
  const firstRetryAt = state.nextPaymentAttemptAt ?? state.requestedAt;
  return {
    id: state.id,
    customerId: state.customerId,
    idempotencyKey: state.idempotencyKey,
    spaceId: state.spaceId,
    hostId: state.hostId,
    spaceName: state.spaceName,
    timeZone: state.timeZone,
    startAt: state.slot.startAt,
    endAt: state.slot.endAt,
    headcount: state.headcount,
    priceAmount: state.price.amount,
    currency: state.price.currency,
    refundTiers: JSON.stringify(state.refundTiers),
    paymentMethod: state.paymentMethod,
    status: state.status,
    addOns: JSON.stringify(state.addOns),
    note: state.note,
    priceLines: JSON.stringify(state.priceLines),
    vatAmount: state.vat.amount,
    bufferBeforeMinutes: state.bufferBeforeMinutes,
    bufferAfterMinutes: state.bufferAfterMinutes,
    version: state.version,
    holdMs: state.holdExpiresAt.getTime() - requestedMs,
    paymentAttempts: state.paymentAttempts,
    firstRetryMs: firstRetryAt.getTime() - requestedMs,
    correlationId: state.correlationId,
  };
}

/** The values of a save: of the booking, and what is written with it. */
export type SaveValues = ReturnType<typeof toSaveValues> & {
  /** The event that led to the new version, for the inbox. */
  eventId: string | null;
  events: string;
};

export function toSaveValues(previous: Booking, next: Booking) {
  const { state } = next;
  const isDecided = previous.state.decision !== state.decision;
  return {
    id: state.id,
    previousVersion: previous.state.version,
    status: state.status,
    live: next.live,
    version: state.version,
    nextPaymentAttemptAt: state.nextPaymentAttemptAt,
    refundAmount: state.refund?.amount ?? null,
    paymentCancelled: state.paymentCancelled,
    registrationCancelled: state.registrationCancelled,
    paymentMethod: state.paymentMethod,
    decision: state.decision,
    rejectionReason: state.rejectionReason,
    goodwillAmount: state.goodwill.amount,
    changeId: state.openChange?.id ?? null,
    changeVersion: state.openChange?.appliedIn ?? null,
    // Null: as stored. A retry counts its attempts without a version.
    holdExpiresAt: isDecided ? state.holdExpiresAt : null,
    paymentAttempts: isDecided ? state.paymentAttempts : null,
  };
}
