import { type BookingPayload, finalBookingStatuses } from '#contracts/book.ts';
import type { PaymentPayload } from '#contracts/payment.ts';
import type { RegistrationPayload } from '#contracts/space.ts';

/**
 * What the customer and the space's host see of a booking. A field is null until an event sets it; a view
 * without `customerId` has events of its payment or registration only and is not shown.
 */
export interface BookingStatusView {
  bookingId: string;
  customerId: string | null;
  status: string | null;
  spaceName: string | null;
  startAt: Date | null;
  endAt: Date | null;
  priceAmount: number | null;
  currency: string | null;
  paymentStatus: string | null;
  refunded: number;
  registrationStatus: string | null;
  bookingVersion: number;
  paymentVersion: number;
  registrationVersion: number;
  /** The number of events projected into the view. */
  version: number;
  updatedAt: Date;
  /** This field and those below: releases up to 0.2.0 do not project them. */
  spaceId: string | null;
  /** Events of releases up to 0.2.0 do not name the host: then it is the space's. */
  hostId: string | null;
  headcount: number | null;
  note: string | null;
  requestedAt: Date | null;
  decideBefore: Date | null;
  /** What the payment has ever charged; 0 without a charge. */
  chargedAmount: number | null;
}

/** The fields that releases up to 0.2.0 do not project. */
export const HOST_FIELDS = [
  'spaceId',
  'hostId',
  'headcount',
  'note',
  'requestedAt',
  'decideBefore',
  'chargedAmount',
] as const satisfies readonly (keyof BookingStatusView)[];

/** One status that a booking has had; the booking's own version orders them. */
export interface StatusChange {
  bookingId: string;
  bookingVersion: number;
  status: string;
  at: Date;
}

/** An event of another context; `aggregate` says what its payload describes. */
export type ProjectedEvent = { id: string; version: number; occurredAt: Date } & (
  | { aggregate: 'booking'; payload: BookingPayload }
  | { aggregate: 'payment'; payload: PaymentPayload }
  | { aggregate: 'registration'; payload: RegistrationPayload }
);

/**
 * The view after the event. An event has its aggregate's whole state, so the newest of each aggregate
 * decides: the same events make the same view in any order.
 */
export function project(view: BookingStatusView | null, event: ProjectedEvent): BookingStatusView {
  const previous = view ?? emptyView(event);
  const counted = {
    ...previous,
    version: previous.version + 1,
    updatedAt: new Date(Math.max(previous.updatedAt.getTime(), event.occurredAt.getTime())),
  };
  switch (event.aggregate) {
    case 'booking':
      return event.version > previous.bookingVersion
        ? { ...counted, ...toBookingFields(event, previous.hostId) }
        : { ...counted, hostId: previous.hostId ?? event.payload.hostId ?? null };
    case 'payment':
      return event.version > previous.paymentVersion
        ? { ...counted, ...toPaymentFields(event) }
        : counted;
    case 'registration':
      return event.version > previous.registrationVersion
        ? { ...counted, ...toRegistrationFields(event) }
        : counted;
  }
}

const OPEN_PAYMENTS = new Set(['PENDING', 'APPROVED']);
const CHARGED_PAYMENTS = new Set(['APPROVED', 'REFUNDED', 'PARTIALLY_REFUNDED', 'REFUND_FAILED']);

/**
 * Can no more events follow? A final booking has a last event of its payment, also without a charge, which
 * may arrive after the booking's own; only a booking that its host rejected never has a payment.
 */
export function isComplete(view: BookingStatusView): boolean {
  const { status, paymentVersion, paymentStatus, registrationStatus } = view;
  return (
    finalBookingStatuses.has(String(status)) &&
    (paymentVersion > 0 || status === 'REJECTED') &&
    !OPEN_PAYMENTS.has(String(paymentStatus)) &&
    registrationStatus !== 'REGISTERED'
  );
}

/** What is left of the charge, in minor units. */
export function toRevenue(
  view: Pick<BookingStatusView, 'chargedAmount' | 'paymentStatus' | 'priceAmount' | 'refunded'>,
): number {
  const { chargedAmount, paymentStatus, priceAmount, refunded } = view;
  // Of an earlier release's row the charge is the price: bookings did not change their price then.
  const isCharged = CHARGED_PAYMENTS.has(String(paymentStatus));
  return (chargedAmount ?? (isCharged ? (priceAmount ?? 0) : 0)) - refunded;
}

/** The entry that an event adds to the booking's timeline; null: none. A reschedule keeps the status. */
export function toStatusChange(event: ProjectedEvent): StatusChange | null {
  if (event.aggregate !== 'booking' || event.payload.change) return null;
  return {
    bookingId: event.payload.bookingId,
    bookingVersion: event.version,
    status: event.payload.status,
    at: event.occurredAt,
  };
}

function emptyView(event: ProjectedEvent): BookingStatusView {
  return {
    bookingId: event.payload.bookingId,
    customerId: null,
    status: null,
    spaceName: null,
    startAt: null,
    endAt: null,
    priceAmount: null,
    currency: null,
    paymentStatus: null,
    refunded: 0,
    registrationStatus: null,
    bookingVersion: 0,
    paymentVersion: 0,
    registrationVersion: 0,
    version: 0,
    updatedAt: event.occurredAt,
    spaceId: null,
    hostId: null,
    headcount: null,
    note: null,
    requestedAt: null,
    decideBefore: null,
    chargedAmount: null,
  };
}

function toBookingFields(
  { payload, version }: { payload: BookingPayload; version: number },
  hostId: string | null,
) {
  return {
    customerId: payload.customerId,
    status: payload.status,
    spaceName: payload.spaceName,
    startAt: payload.slot.startAt,
    endAt: payload.slot.endAt,
    priceAmount: payload.price.amount,
    currency: payload.price.currency,
    bookingVersion: version,
    spaceId: payload.spaceId,
    hostId: payload.hostId ?? hostId,
    headcount: payload.headcount ?? null,
    note: payload.note ?? null,
    requestedAt: payload.requestedAt ?? null,
    decideBefore: payload.decideBefore ?? null,
  };
}

function toPaymentFields({ payload, version }: { payload: PaymentPayload; version: number }) {
  return {
    // A voided payment was never charged.
    paymentStatus: payload.status === 'VOIDED' ? null : payload.status,
    refunded: payload.refunded,
    paymentVersion: version,
    chargedAmount: CHARGED_PAYMENTS.has(payload.status) ? payload.amount : 0,
  };
}

function toRegistrationFields({
  payload,
  version,
}: {
  payload: RegistrationPayload;
  version: number;
}) {
  return { registrationStatus: payload.status, registrationVersion: version };
}
