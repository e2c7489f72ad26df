import type {
  ApprovedPayment,
  PublishedBlock,
  PublishedBooking,
} from './domain/published-booking.ts';
import type { PaidUse, Registration } from './domain/registration.ts';
import type { Currency, FoundSpace, LongTerm, LongTerms, Space } from './domain/space.ts';

/** The conditions of a search; null: no condition. All must hold. */
export interface SpaceSearch {
  text: string | null;
  minCapacity: number | null;
  /** In minor units of `currency`; without it, of the space's own currency. */
  maxHourlyRate: number | null;
  currency: Currency | null;
  freeDuring: { startAt: Date; endAt: Date } | null;
  /** The space has all of them. */
  amenities: readonly string[] | null;
  /** Its spaces in every state; null: all hosts' spaces that are not archived. */
  hostId: string | null;
}

/**
 * NEWEST: the last listed first. Rates are compared within a currency: the spaces of one currency follow
 * those of another. NAME: in lower case, by code point.
 */
export type SpaceOrder = 'NEWEST' | 'PRICE_LOW_FIRST' | 'PRICE_HIGH_FIRST' | 'NAME';

/** The place of a space in an order; of its fields only those that the order compares count. */
export type SpacePosition = Pick<Space, 'id' | 'name' | 'currency' | 'hourlyRate'>;

/** A page: at most `limit` spaces behind the position. */
export interface SpacePage {
  orderBy: SpaceOrder;
  limit: number;
  after: SpacePosition | null;
}

/** The principal that the audit log records, and the role that permits the action. */
export interface ActingPrincipal {
  userId: string;
  role: 'host' | 'operator';
}

export interface SpaceStore {
  find(id: string): Promise<Space | null>;
  search(search: SpaceSearch, page: SpacePage): Promise<FoundSpace[]>;
  /** A term of a space that {@link search} found, as it is now; the calls of one tick are one statement. */
  findTerm<Term extends LongTerm>(id: string, term: Term): Promise<LongTerms[Term]>;
  /** Writes the space together with its event and its audit entry. */
  list(space: Space, by: ActingPrincipal): Promise<void>;
  /**
   * Writes the next version of a space, its event, and an audit entry that names the changed fields.
   * Stale: the stored version is not the one before it, and nothing is written.
   */
  save(space: Space, changed: readonly string[], by: ActingPrincipal): Promise<'saved' | 'stale'>;
  /** Stores a booking or block unless a newer version of it is stored; marks the event processed. */
  storeOccupancy(occupancy: PublishedBooking | PublishedBlock, eventId: string): Promise<void>;
}

export type RegistrationEventType = 'Registered' | 'RegistrationRejected' | 'RegistrationCancelled';

export type RegisterOutcome =
  | { type: 'registered' }
  /** Payment or book has not published yet, or the booking does not hold its slot. */
  | { type: 'incomplete' }
  /** The booking has a registration or a tombstone. */
  | { type: 'exists' }
  /** Another registration has the slot; whether its booking still holds it is uncertain. */
  | { type: 'contested' }
  /** Another registration has the slot, and its booking holds it; or there is no space. */
  | { type: 'overlap' | 'no-space'; use: PaidUse };

export interface RegistrationStore {
  findByBooking(bookingId: string): Promise<Registration | null>;
  /**
   * Stores what payment or book published. When the other has published before, registers the use in the
   * same transaction. Marks the event processed with `registered` and `incomplete` only.
   */
  register(
    cause: PublishedBooking | ApprovedPayment,
    creation: { id: string; now: Date },
    eventId: string,
  ): Promise<RegisterOutcome>;
  /** Writes a first version that registers nothing, a rejection or a tombstone, and its cause. */
  record(
    registration: Registration,
    eventType: RegistrationEventType,
    cause: PublishedBooking | ApprovedPayment,
    eventId: string,
  ): Promise<'saved' | 'exists'>;
  /** Writes the next version and the booking that caused it; marks the event processed. */
  save(
    previous: Registration,
    next: Registration,
    eventType: RegistrationEventType,
    booking: PublishedBooking,
    eventId: string,
  ): Promise<'saved' | 'stale'>;
  /**
   * Writes the registration in its new slot, the booking that caused it, and the event `RegistrationMoved`;
   * marks the event processed. `outdated`: it was processed before, or a newer version of the booking was.
   */
  move(
    previous: Registration,
    next: Registration,
    booking: PublishedBooking,
    eventId: string,
  ): Promise<'saved' | 'stale' | 'outdated' | 'contested'>;
  /** Marks an event processed that changes nothing. */
  markProcessed(eventId: string): Promise<void>;
}

export interface SpacePorts {
  spaces: SpaceStore;
  registrations: RegistrationStore;
  clock: () => Date;
  newId: () => string;
  log: (message: string, fields: Record<string, unknown>) => void;
}
