import type { Registration } from './domain/registration.ts';
import type { Space } from './domain/space.ts';

/** What to look for; every part that is given must hold. */
export interface SpaceSearch {
  text: string | null;
  minCapacity: number | null;
  /** In minor units of the space's own currency. */
  maxHourlyRate: number | null;
  freeDuring: { startAt: Date; endAt: Date } | null;
}

/** A booking holds a slot, or does so no more, by the booking's version. */
export interface Occupancy {
  bookingId: string;
  spaceId: string;
  slot: { startAt: Date; endAt: Date };
  live: boolean;
  version: number;
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
  /** Notes it unless newer word is known, and the event, unless more is to be done for it. */
  occupy(occupancy: Occupancy, eventId: string | null): Promise<void>;
}

export type RegistrationNews = 'Registered' | 'RegistrationRejected' | 'RegistrationCancelled';

export interface RegistrationStore {
  findByBooking(bookingId: string): Promise<Registration | null>;
  /**
   * Registers a paid use once, with its event and the inbox; `known` when the booking has a
   * registration or a tombstone, `overlap` when another registration holds the time, `no-space`
   * when there is no such space. Only `registered` writes anything.
   */
  register(
    registration: Registration,
    eventId: string,
  ): Promise<'registered' | 'known' | 'overlap' | 'no-space'>;
  /** Writes a first version that registers nothing: a rejection or a tombstone. */
  record(
    registration: Registration,
    news: RegistrationNews,
    eventId: string,
  ): Promise<'saved' | 'known'>;
  save(
    previous: Registration,
    next: Registration,
    news: RegistrationNews,
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
