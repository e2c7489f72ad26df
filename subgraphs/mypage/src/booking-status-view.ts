import type { BookingFacts } from '#contracts/book.ts';
import type { PaymentFacts } from '#contracts/payment.ts';
import type { RegistrationFacts } from '#contracts/space.ts';

/**
 * What the customer sees of a booking. Null fields belong to facts that have not arrived yet; a
 * view without `customerId` is known by its payment or registration only and is not shown.
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
  /** The number of events that the view has taken in. */
  version: number;
  updatedAt: Date;
}

/** One status that a booking has had; the booking's own version orders them. */
export interface StatusChange {
  bookingId: string;
  bookingVersion: number;
  status: string;
  at: Date;
}

/** An event of another context, told apart by whose facts it carries. */
export type ProjectedEvent = { id: string; version: number; occurredAt: Date } & (
  | { of: 'booking'; facts: BookingFacts }
  | { of: 'payment'; facts: PaymentFacts }
  | { of: 'registration'; facts: RegistrationFacts }
);

/**
 * The view after the event. Each event carries its aggregate whole, so the newest of each kind
 * decides and the order of arrival does not matter: the same events make the same view.
 */
export function project(view: BookingStatusView | null, event: ProjectedEvent): BookingStatusView {
  const before = view ?? emptyView(event);
  const counted = {
    ...before,
    version: before.version + 1,
    updatedAt: new Date(Math.max(before.updatedAt.getTime(), event.occurredAt.getTime())),
  };
  switch (event.of) {
    case 'booking':
      return event.version > before.bookingVersion ? { ...counted, ...ofBooking(event) } : counted;
    case 'payment':
      return event.version > before.paymentVersion ? { ...counted, ...ofPayment(event) } : counted;
    case 'registration':
      return event.version > before.registrationVersion
        ? { ...counted, ...ofRegistration(event) }
        : counted;
  }
}

const FINAL_STATUSES = new Set(['CANCELLED', 'DECLINED', 'EXPIRED', 'REJECTED']);
const OPEN_PAYMENTS = new Set(['PENDING', 'APPROVED']);

/**
 * Does nothing follow? Each final booking has a last event of its payment, also when nothing was charged;
 * it may arrive after the booking's own.
 */
export function isComplete(view: BookingStatusView): boolean {
  const { status, paymentVersion, paymentStatus, registrationStatus } = view;
  return (
    FINAL_STATUSES.has(String(status)) &&
    paymentVersion > 0 &&
    !OPEN_PAYMENTS.has(String(paymentStatus)) &&
    registrationStatus !== 'REGISTERED'
  );
}

/** The entry that an event adds to the booking's timeline; null: none. */
export function statusChangeOf(event: ProjectedEvent): StatusChange | null {
  if (event.of !== 'booking') return null;
  return {
    bookingId: event.facts.bookingId,
    bookingVersion: event.version,
    status: event.facts.status,
    at: event.occurredAt,
  };
}

function emptyView(event: ProjectedEvent): BookingStatusView {
  return {
    bookingId: event.facts.bookingId,
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
  };
}

function ofBooking({ facts, version }: { facts: BookingFacts; version: number }) {
  return {
    customerId: facts.customerId,
    status: facts.status,
    spaceName: facts.spaceName,
    startAt: facts.slot.startAt,
    endAt: facts.slot.endAt,
    priceAmount: facts.price.amount,
    currency: facts.price.currency,
    bookingVersion: version,
  };
}

function ofPayment({ facts, version }: { facts: PaymentFacts; version: number }) {
  return {
    // A voided payment never was one.
    paymentStatus: facts.status === 'VOIDED' ? null : facts.status,
    refunded: facts.refunded,
    paymentVersion: version,
  };
}

function ofRegistration({ facts, version }: { facts: RegistrationFacts; version: number }) {
  return { registrationStatus: facts.status, registrationVersion: version };
}
