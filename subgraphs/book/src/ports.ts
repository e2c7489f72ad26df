import type { Block } from './domain/block.ts';
import type { Booking } from './domain/booking.ts';
import type { BookingChange } from './domain/booking-change.ts';
import type { CatalogueSpace } from './domain/catalogue-space.ts';
import type { BookingStatus } from './domain/lifecycle.ts';
import type { Holiday, HolidayOverride } from './domain/public-holidays.ts';
import type { Role } from './domain/role.ts';
import type { TimeSlot } from './domain/time-slot.ts';

/** A principal in the role in which it acts, for the audit log. */
export interface ActingPrincipal {
  userId: string;
  role: Role;
}

/** What a principal does to an existing booking, as the API and the audit log name it. */
export type BookingAction = 'cancelBooking' | 'approveBooking' | 'rejectBooking';

/** What saving a new version met: a newer one, or an event whose effect is there already. */
export type SaveResult = 'saved' | 'stale';

/** Why a booking was not written. */
export type InsertRefusal = 'overlap' | 'key-used' | 'too-many';

/** A booking that an idempotency key made; its payment method itself may be erased. */
export interface KeyedBooking {
  booking: Booking;
  /** The booking with what was requested, before any change. */
  requested: Booking;
  hasPaymentMethod: boolean;
}

export interface BookingStore {
  /** The database's clock, by which holds, leases and deadlines run. */
  now(): Promise<Date>;
  find(id: string): Promise<Booking | null>;
  /** The booking that the key made, and whether it was to be paid by `paymentMethod`. */
  findByKey(
    customerId: string,
    idempotencyKey: string,
    paymentMethod: string,
  ): Promise<KeyedBooking | null>;
  /** The booking, and whether the event is in the inbox already. */
  findForEvent(
    id: string,
    eventId: string,
  ): Promise<{ booking: Booking | null; isProcessed: boolean }>;
  /**
   * Writes the booking, its hold, its idempotency key, the event `Booked` and the audit entry in
   * one transaction, which first releases expired holds that are in its way. The database refuses
   * an overlap, and more than `maxUnpaidHolds` unpaid holds of the customer. Resolves with the
   * booking as it was written: its instants are shifted to the database's clock.
   */
  insert(
    booking: Booking,
    maxUnpaidHolds: number,
    by: ActingPrincipal,
  ): Promise<Booking | InsertRefusal>;
  /**
   * Writes the next version together with the event of its new status and, when an event led to
   * it, that event's id in the inbox; `stale` when the stored version is not `previous` any more.
   */
  save(previous: Booking, next: Booking, eventId?: string): Promise<SaveResult>;
  /** As `save`, for what a principal does: writes the audit entry in the same transaction. */
  saveAction(
    previous: Booking,
    next: Booking,
    by: ActingPrincipal,
    action: BookingAction,
  ): Promise<SaveResult>;
  /** Records in the inbox an event that changes nothing. */
  recordEvent(eventId: string): Promise<void>;
  /**
   * What live bookings, with their buffers, and blocks hold within [from, to), in order; by the
   * database's clock.
   */
  occupiedSlots(spaceId: string, from: Date, to: Date): Promise<TimeSlot[]>;
  /**
   * Leases up to `limit` bookings whose payment is to be requested again or whose hold has expired;
   * `expired`: only the latter. `now` is when, by the database's clock.
   */
  claimExpiring(
    limit: number,
    which: 'all' | 'expired',
  ): Promise<readonly { booking: Booking; now: Date }[]>;
}

export interface ChangeStore {
  /**
   * Writes the change, the hold of its slot, the booking's next version and the audit entry in one
   * transaction, which first releases expired holds that are in its way. The change expires after
   * `holdSeconds`, and at the start of either slot; the customer has at most `maxUnpaidHolds` unpaid holds, of
   * bookings and changes. Resolves with the change as it was written.
   */
  begin(
    previous: Booking,
    next: Booking,
    change: BookingChange,
    limits: { holdSeconds: number; maxUnpaidHolds: number; by: ActingPrincipal },
  ): Promise<BookingChange | 'overlap' | 'too-many' | 'stale'>;
  /** Writes the booking's version with the new terms, its event, and that the change is applied. */
  apply(previous: Booking, next: Booking, change: BookingChange): Promise<SaveResult>;
  /**
   * Ends a change that is not applied: releases the hold of its slot and, when it has expired, publishes
   * that a charge is to be prevented or refunded. The booking is as it was.
   */
  end(previous: Booking, change: BookingChange, state: 'DECLINED' | 'EXPIRED'): Promise<SaveResult>;
  /** Releases the holds of slots before the applied change, and records the event in the inbox. */
  finish(previous: Booking, eventId: string): Promise<SaveResult>;
  find(id: string): Promise<BookingChange | null>;
  findByKey(bookingId: string, idempotencyKey: string): Promise<BookingChange | null>;
  /** All changes of a booking, newest first; one statement for a whole tick. */
  list(bookingId: string): Promise<BookingChange[]>;
  /**
   * Leases up to `limit` pending changes whose payment is to be requested again, or which have expired;
   * `expired`: only the latter. `now` is when, by the database's clock.
   */
  claimDue(
    limit: number,
    which: 'all' | 'expired',
  ): Promise<readonly { change: BookingChange; now: Date }[]>;
  /** Ends the lease of a change whose payment is unknown: due again after a pause, which doubles. */
  postpone(change: BookingChange): Promise<void>;
}

export interface BlockStore {
  /**
   * Writes the block, its hold, its event and the audit entry in one transaction, which first releases
   * expired holds that are in its way. The database refuses a block over a live booking or another block,
   * and more than `maxBlocks` that have not ended in the space.
   */
  insert(block: Block, maxBlocks: number, by: ActingPrincipal): Promise<'saved' | BlockRefusal>;
  find(id: string): Promise<Block | null>;
  findByKey(createdBy: string, idempotencyKey: string): Promise<Block | null>;
  /** Releases the block's hold, with its event and the audit entry; false: it was released before. */
  remove(block: Block, by: ActingPrincipal): Promise<boolean>;
  /** The space's blocks that overlap [from, to) and have not ended, by their starts; at most `limit`. */
  list(spaceId: string, from: Date, to: Date, limit: number): Promise<Block[]>;
}

/** Why a block was not written. */
export type BlockRefusal = 'overlap' | 'key-used' | 'too-many';

/** The conditions of a search; null: none. */
export interface BookingFilter {
  customerId: string | null;
  hostId: string | null;
  spaceId: string | null;
  status: readonly BookingStatus[] | null;
  /** The slot starts at or after it. */
  startsFrom: Date | null;
  startsBefore: Date | null;
  /** Past the deadline of its status. */
  stuck: boolean | null;
}

export interface BookingSearch {
  /** At most `limit` bookings that were requested before the booking `after`, newest first. */
  search(filter: BookingFilter, limit: number, after: string | null): Promise<Booking[]>;
}

/** Bookings that have been PAID or CANCELLING for too long, by the database's clock. */
export interface OverdueBookings {
  /** Leases up to `limit` of them for at least 30 s; each check is further from the one before. */
  claim(limit: number): Promise<Booking[]>;
  /** Publishes the booking's last event to all its consumers again. False: it has none. */
  redeliverLastEvent(booking: Booking): Promise<boolean>;
}

/** What became of a booking in the other contexts. Rejects when they do not respond. */
export interface SagaInquiries {
  /** Is nothing more charged or refunded? */
  isPaymentClosed(booking: Booking): Promise<boolean>;
  /** `unknown`: space has not processed what would make or cancel it. */
  findRegistrationStatus(
    booking: Booking,
  ): Promise<'registered' | 'rejected' | 'cancelled' | 'unknown'>;
}

export interface Catalogue {
  find(id: string): Promise<CatalogueSpace | null>;
  /**
   * Waits until this process stores the space, `ms` at most; then find it again. False at
   * once when too many requests are waiting already.
   */
  whenStored(id: string, ms: number): Promise<boolean>;
  /** Stores the space unless the copy is as new, and records the event in the inbox. */
  store(space: CatalogueSpace, eventId: string): Promise<void>;
}

/** The public holidays of countries (ISO 3166-1), with the operators' overrides; dates are YYYY-MM-DD. */
export interface HolidayCalendar {
  /** The dates of holidays from the first to the last date, both inclusive. */
  between(country: string, firstDate: string, lastDate: string): Promise<ReadonlySet<string>>;
  /** In order of their dates. */
  ofYear(country: string, year: number): Promise<Holiday[]>;
  /** Sets an override, with its audit entry. False: the country has `max` others already. */
  set(
    country: string,
    override: HolidayOverride,
    max: number,
    by: ActingPrincipal,
  ): Promise<boolean>;
}

/** Unknown is a third outcome: the customer may or may not be charged. */
export type PaymentOutcome = 'approved' | 'declined' | 'unknown';

/** Open: payment is not called at all for now. Half open: one call finds out whether it is back. */
export type PaymentCircuit = 'closed' | 'half-open' | 'open';

export interface PaymentGateway {
  circuit(): PaymentCircuit;
  /** Requests the booking's payment; the booking's id is the key, so a repeated request is safe. */
  approve(booking: Booking): Promise<PaymentOutcome>;
  /** Queries the outcome of the payment, and charges nothing. */
  findOutcome(booking: Booking): Promise<PaymentOutcome>;
  /**
   * Requests the difference of a change: charges it or, when it is negative, reserves it for a refund. The change's
   * id is the key, so a repeated request is safe. `declined` also where other refunds leave less to reserve.
   */
  chargeChange(change: BookingChange): Promise<PaymentOutcome>;
  /** Queries the outcome of that request, and charges nothing. */
  findChangeOutcome(change: BookingChange): Promise<PaymentOutcome>;
}

export type Clock = () => Date;

/** What the use cases work with. */
export interface BookPorts {
  bookings: BookingStore;
  changes: ChangeStore;
  blocks: BlockStore;
  catalogue: Catalogue;
  holidays: HolidayCalendar;
  search: BookingSearch;
  overdue: OverdueBookings;
  inquiries: SagaInquiries;
  payments: PaymentGateway;
  clock: Clock;
  /** Resolves after `ms`. */
  wait: (ms: number) => Promise<unknown>;
  newId: () => string;
  correlationId: () => string;
  /** Runs a job for a booking under the correlation id of the request that made it. */
  resume: (booking: Booking, work: () => Promise<void>) => Promise<void>;
  holdSeconds: number;
  /** How many slots one customer may hold unpaid at a time. */
  maxUnpaidHolds: number;
  /** Maximum deferred payments that are retried per second, to spare payment. */
  deferredPerSecond: number;
  log: (message: string, fields: Record<string, unknown>) => void;
}
