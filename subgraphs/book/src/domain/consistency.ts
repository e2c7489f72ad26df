import { type BookingStatus, pendingStatuses } from './lifecycle.ts';
import type { Currency } from './money.ts';

/** What must be true of every booking, as the labels of the metric name it. */
export const invariants = [
  'live-slots-do-not-overlap',
  'registered-uses-do-not-overlap',
  'confirmed-is-paid-and-registered',
  'approved-is-confirmed-or-refunded',
  'registered-is-confirmed',
  'charge-is-refunded-as-quoted',
  'standing-booking-is-not-refunded',
  'payment-agrees-with-provider',
  'every-record-has-its-booking',
  'view-shows-the-booking',
] as const;
export type Invariant = (typeof invariants)[number];

/** What payment and mypage know of the booking itself. */
export interface KnownBooking {
  customerId: string;
  spaceId: string;
  startAt: string;
  endAt: string;
  price: number;
  currency: Currency;
}

/** A booking as book stores it. Amounts are in the currency's minor unit. */
export interface BookingRecord {
  id: string;
  status: BookingStatus;
  spaceId: string;
  startAt: Date;
  endAt: Date;
  price: number;
  /** What the cancellation refunds; null: it was not cancelled. */
  refund: number | null;
  /** How many other live bookings of the space overlap with this one, if it is live. */
  overlaps: number;
  /** Is an event of it not acknowledged yet? */
  isPassing: boolean;
}

/** What the contexts store of one booking; null: the context has no record of it. */
export interface BookingRecords {
  bookingId: string;
  booking: BookingRecord | null;
  payment: {
    paymentId: string;
    status: string;
    amount: number;
    refunded: number;
    /** Of `refunded`, what operators gave back beyond the policy. */
    goodwill: number;
    /** Of `refunded`, what was given back because the booking changed. */
    refundedForChanges: number;
    refundDue: number | null;
    isPassing: boolean;
    chargedByProvider: boolean | null;
    booking?: KnownBooking | undefined;
  } | null;
  registration: {
    paymentId: string | null;
    spaceId: string;
    startAt: string;
    endAt: string;
    status: string;
    isPassing: boolean;
    overlaps: number;
  } | null;
  view: {
    status: string | null;
    paymentStatus: string | null;
    refunded: number;
    registrationStatus: string | null;
    booking?: KnownBooking | null | undefined;
  } | null;
}

export interface Violation {
  bookingId: string;
  invariant: Invariant;
  /** For operators: what is there, and what should be. */
  detail: string;
}

/** In these a step of the saga is still to come: its deadline guards them, not the comparison. */
const PENDING_STATUSES: ReadonlySet<BookingStatus> = new Set(pendingStatuses);
/** The provider charged the customer, whether or not it refunded later. */
const CHARGED = new Set(['APPROVED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'REFUND_FAILED']);

/** Is a step of the booking under way, so that most of it cannot be compared? What was wrong before may still be. */
export function isPassing({ booking, payment, registration }: BookingRecords): boolean {
  return (
    booking !== null &&
    (PENDING_STATUSES.has(booking.status) ||
      [booking, payment, registration].some((record) => record?.isPassing))
  );
}

/** Compares what the contexts store of one booking; returns what contradicts, usually nothing. */
export function findViolations(records: BookingRecords): Violation[] {
  const { bookingId, booking } = records;
  const violations: Violation[] = [];
  const check = (holds: boolean, invariant: Invariant, detail: string) => {
    if (!holds) violations.push({ bookingId, invariant, detail });
  };

  if (!booking) {
    const found = (['payment', 'registration', 'view'] as const).filter((name) => records[name]);
    check(
      found.length === 0,
      'every-record-has-its-booking',
      `${found.join(', ')} without a booking`,
    );
    return violations;
  }

  const { registration } = records;
  check(booking.overlaps === 0, 'live-slots-do-not-overlap', `overlaps ${booking.overlaps} others`);
  check(
    (registration?.overlaps ?? 0) === 0,
    'registered-uses-do-not-overlap',
    `overlaps ${registration?.overlaps} others`,
  );
  // Its end publishes an event, and that event has the booking compared again.
  if (isPassing(records)) return violations;

  compareMoney(booking, records.payment, check);
  compareRegistration(booking, records, check);
  compareView(booking, records, check);
  return violations;
}

type Payment = NonNullable<BookingRecords['payment']>;

/** What was refunded for other reasons than a cancellation. */
const toOtherRefunds = ({ goodwill, refundedForChanges }: Payment): number =>
  goodwill + refundedForChanges;

/** A charge of which nothing was refunded for a cancellation. A refund for a change may have failed. */
function isStanding(payment: Payment): boolean {
  const { status } = payment;
  if (status === 'REFUND_FAILED') return true;
  if (toOtherRefunds(payment) === 0) return status === 'APPROVED';
  return status === 'PARTIALLY_REFUNDED' || status === 'REFUNDED';
}

/** Is what changes have left of the charges the price? A refund for a change that has failed is still to come. */
function isPricePaid({ amount, refundedForChanges, status }: Payment, price: number): boolean {
  return amount - refundedForChanges === price || status === 'REFUND_FAILED';
}

type Check = (holds: boolean, invariant: Invariant, detail: string) => void;

function compareMoney(
  { status, price, refund }: BookingRecord,
  payment: BookingRecords['payment'],
  check: Check,
): void {
  const isCharged = payment !== null && CHARGED.has(payment.status);
  const shown = payment
    ? `payment ${payment.status} of ${payment.amount}, refunded ${payment.refunded}, of it goodwill ${payment.goodwill} and for changes ${payment.refundedForChanges}, due ${payment.refundDue}`
    : 'no payment';

  if (status === 'REGISTERED') {
    check(
      payment !== null && isStanding(payment) && isPricePaid(payment, price),
      'confirmed-is-paid-and-registered',
      `price ${price}, ${shown}`,
    );
    check(
      payment === null ||
        (payment.refunded === toOtherRefunds(payment) && payment.refundDue === null),
      'standing-booking-is-not-refunded',
      shown,
    );
  } else if (isCharged) {
    const quoted = status === 'CANCELLED' ? (refund ?? 0) : price;
    // What was given back before the cancellation may leave less than quoted; what is given back later never
    // leaves less than the cancellation refunded.
    const expected = Math.min(quoted, payment.amount - toOtherRefunds(payment));
    check(
      payment.refundDue !== null,
      'approved-is-confirmed-or-refunded',
      `booking ${status}, ${shown}`,
    );
    check(
      payment.refunded - toOtherRefunds(payment) === expected,
      'charge-is-refunded-as-quoted',
      `booking ${status}, quoted ${quoted}, ${shown}`,
    );
  }
  if (payment && payment.chargedByProvider !== null) {
    check(
      payment.chargedByProvider === isCharged,
      'payment-agrees-with-provider',
      `payment ${payment.status}, the provider says ${payment.chargedByProvider ? 'charged' : 'not charged'}`,
    );
  }
}

function compareRegistration(
  booking: BookingRecord,
  { payment, registration }: BookingRecords,
  check: Check,
): void {
  const isRegistered = registration?.status === 'REGISTERED';
  if (booking.status !== 'REGISTERED') {
    check(!isRegistered, 'registered-is-confirmed', `booking ${booking.status} is registered`);
    return;
  }
  const isTheSame =
    registration !== null &&
    registration.paymentId === payment?.paymentId &&
    registration.spaceId === booking.spaceId &&
    Date.parse(registration.startAt) === booking.startAt.getTime() &&
    Date.parse(registration.endAt) === booking.endAt.getTime();
  check(
    isRegistered && isTheSame,
    'confirmed-is-paid-and-registered',
    registration
      ? `registration ${registration.status} from ${registration.startAt} to ${registration.endAt}`
      : 'no registration',
  );
}

function compareView(
  { status }: BookingRecord,
  { payment, registration, view }: BookingRecords,
  check: Check,
): void {
  // A payment that was voided before any charge is not shown.
  const paymentStatus = payment && payment.status !== 'VOIDED' ? payment.status : null;
  const isRight =
    view !== null &&
    view.status === status &&
    view.paymentStatus === paymentStatus &&
    view.refunded === (payment?.refunded ?? 0) &&
    view.registrationStatus === (registration?.status ?? null);
  check(
    isRight,
    'view-shows-the-booking',
    view
      ? `booking ${status}, payment ${paymentStatus}, registration ${registration?.status ?? null}; the view has ${view.status}, ${view.paymentStatus}, ${view.registrationStatus}`
      : 'no view',
  );
}
