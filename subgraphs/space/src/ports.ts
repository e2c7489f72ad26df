import type { ApprovedPayment, PublishedBooking } from './domain/published-booking.ts';
import type { PaidUse, Registration } from './domain/registration.ts';
import type { Space } from './domain/space.ts';

/** What to look for; every part that is given must hold. */
export interface SpaceSearch {
  text: string | null;
  minCapacity: number | null;
  /** In minor units of the space's own currency. */
  maxHourlyRate: number | null;
  freeDuring: { startAt: Date; endAt: Date } | null;
}

/** Who acts, and by which right: the audit log's who. */
export interface Actor {
  userId: string;
  as: 'host' | 'operator';
}

export interface SpaceStore {
  find(id: string): Promise<Space | null>;
  /** At most `limit` spaces listed after the space `after`, oldest first. */
  search(search: SpaceSearch, limit: number, after: string | null): Promise<Space[]>;
  /** Writes the space together with its event and who listed it. */
  list(space: Space, by: Actor): Promise<void>;
  /** Stores the booking unless a newer version of it is stored, and the event's id. */
  occupy(booking: PublishedBooking, eventId: string): Promise<void>;
}

export type RegistrationNews = 'Registered' | 'RegistrationRejected' | 'RegistrationCancelled';

export type RegisterOutcome =
  | { type: 'registered' }
  /** Payment or book has not published its half yet, or the booking does not hold its slot. */
  | { type: 'incomplete' }
  /** The booking has a registration or a tombstone. */
  | { type: 'known' }
  /** Another registration is in the way; whether its booking holds the slot is not certain. */
  | { type: 'contested' }
  /** Another registration is in the way, and its booking holds the slot; or there is no space. */
  | { type: 'overlap' | 'no-space'; use: PaidUse };

export interface RegistrationStore {
  findByBooking(bookingId: string): Promise<Registration | null>;
  /**
   * Stores what payment or book published. When that completes the other's half, registers the use
   * in the same transaction. The event's id is stored with `registered` and `incomplete` only.
   */
  register(
    cause: PublishedBooking | ApprovedPayment,
    made: { id: string; now: Date },
    eventId: string,
  ): Promise<RegisterOutcome>;
  /** Writes a first version that registers nothing, a rejection or a tombstone, and its cause. */
  record(
    registration: Registration,
    news: RegistrationNews,
    cause: PublishedBooking | ApprovedPayment,
    eventId: string,
  ): Promise<'saved' | 'known'>;
  /** Writes the next version, the booking that led to it, and the event's id. */
  save(
    previous: Registration,
    next: Registration,
    news: RegistrationNews,
    booking: PublishedBooking,
    eventId: string,
  ): Promise<'saved' | 'stale'>;
  /** Notes an event that changes nothing. */
  take(eventId: string): Promise<void>;
}

export interface SpacePorts {
  spaces: SpaceStore;
  registrations: RegistrationStore;
  clock: () => Date;
  newId: () => string;
  log: (message: string, facts: Record<string, unknown>) => void;
}
