import type { Booking } from './domain/booking.ts';
import type { Party } from './domain/booking-status.ts';
import type { CatalogueSpace } from './domain/catalogue-space.ts';
import type { TimeSlot } from './domain/time-slot.ts';

/** A person and what they are to what they do: the audit log's who. */
export interface Actor {
  userId: string;
  as: Party;
}

/** What saving a new version met: a newer one, or an event whose effect is there already. */
export type Saved = 'saved' | 'stale';

export interface BookingStore {
  find(id: string): Promise<Booking | null>;
  findByKey(customerId: string, idempotencyKey: string): Promise<Booking | null>;
  /** The booking, and whether the event is in the inbox already. */
  findForEvent(id: string, eventId: string): Promise<{ booking: Booking | null; taken: boolean }>;
  /**
   * Writes the booking, its hold, its idempotency key, the event `Booked` and who asked for it in
   * one transaction, which first releases expired holds that are in its way. The database refuses
   * an overlap.
   */
  request(booking: Booking, now: Date, by: Actor): Promise<'held' | 'overlap' | 'key-taken'>;
  /**
   * Writes the next version together with the event of its new status and, when an event led to
   * it, that event's id in the inbox; `stale` when the stored version is not `previous` any more.
   */
  save(previous: Booking, next: Booking, eventId?: string): Promise<Saved>;
  /** As `save`, for a cancellation that a person asked for: writes who it was in the same transaction. */
  saveCancellation(previous: Booking, next: Booking, by: Actor): Promise<Saved>;
  /** Notes an event that changes nothing. */
  take(eventId: string): Promise<void>;
  /** The slots that live bookings hold within [from, to), in order; by the database's clock. */
  occupied(spaceId: string, from: Date, to: Date): Promise<TimeSlot[]>;
  /**
   * Leases up to `limit` bookings whose payment is to be asked again or whose hold has expired;
   * `expired`: only the latter.
   */
  claimUnpaid(now: Date, limit: number, which: 'all' | 'expired'): Promise<Booking[]>;
}

export interface Catalogue {
  find(id: string): Promise<CatalogueSpace | null>;
  /** Keeps the copy unless it is as new already, and notes the event. */
  store(space: CatalogueSpace, eventId: string): Promise<void>;
}

/** Unknown is a third outcome: the money may or may not have been taken. */
export type PaymentOutcome = 'approved' | 'declined' | 'unknown';

/** Open: payment is not called at all for now. Half open: one call finds out whether it is back. */
export type PaymentCircuit = 'closed' | 'half-open' | 'open';

export interface PaymentGateway {
  circuit(): PaymentCircuit;
  /** Asks for the booking's payment; the booking's id is the key, so asking again is safe. */
  approve(booking: Booking): Promise<PaymentOutcome>;
  /** What became of the payment; asks only, takes nothing. */
  outcomeOf(booking: Booking): Promise<PaymentOutcome>;
}

export type Clock = () => Date;

/** What the use cases work with. */
export interface BookPorts {
  bookings: BookingStore;
  catalogue: Catalogue;
  payments: PaymentGateway;
  clock: Clock;
  newId: () => string;
  correlationId: () => string;
  /** Works for a booking on nobody's request, under the correlation id of the one that made it. */
  resume: (booking: Booking, work: () => Promise<void>) => Promise<void>;
  holdSeconds: number;
  /** How many deferred payments are asked for again per second: payment must not drown in them. */
  deferredPerSecond: number;
  log: (message: string, facts: Record<string, unknown>) => void;
}
