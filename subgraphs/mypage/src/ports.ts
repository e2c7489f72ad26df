import type { ParsedVersionQuestion } from '#contracts/mypage.ts';
import type { BookingStatusView, StatusChange } from './booking-status-view.ts';
import type { ConsumedEvent, SpaceView } from './space-view.ts';

export interface ViewStore {
  /**
   * Projects each event into its view, once: views and inbox are written in one transaction, in every
   * generation that is in use. A conflict with a concurrent writer is retried; when it rejects, nothing is
   * written. Resolves with the new versions of live views, one for each event of a booking that was not
   * processed before.
   */
  project(events: readonly ConsumedEvent[]): Promise<BookingStatusView[]>;
  /** The customer's views after the position, newest start first. */
  list(
    customerId: string,
    page: { limit: number; after: ViewPosition | null; statuses: readonly string[] | null },
  ): Promise<BookingStatusView[]>;
  find(customerId: string, bookingId: string): Promise<BookingStatusView | null>;
  /** Oldest first. */
  timelines(bookingIds: readonly string[]): Promise<Map<string, StatusChange[]>>;
}

/** The position of a view in the customer's or the host's list. */
export interface ViewPosition {
  startAt: Date;
  bookingId: string;
}

/** Which of the host's bookings; null: all. `startsBefore` is exclusive. */
export interface HostBookingFilter {
  spaceId: string | null;
  statuses: readonly string[] | null;
  startsFrom: Date | null;
  startsBefore: Date | null;
}

/** What a report counts of a booking. */
export type ReportedBooking = Pick<
  BookingStatusView,
  | 'bookingId'
  | 'spaceId'
  | 'status'
  | 'startAt'
  | 'endAt'
  | 'priceAmount'
  | 'currency'
  | 'paymentStatus'
  | 'chargedAmount'
  | 'refunded'
>;

/** The views of the spaces of one host, and the spaces. Nothing of another host is ever returned. */
export interface HostViews {
  /** The host's views after the position, earliest start first, with their timelines. */
  list(
    hostId: string,
    filter: HostBookingFilter,
    page: { limit: number; after: ViewPosition | null },
  ): Promise<ViewWithTimeline[]>;
  countAwaitingApproval(hostId: string): Promise<number>;
  /** The views that start within [from, to), earliest first, in pages; others have a turn before each. */
  bookingsBetween(
    hostId: string,
    range: { spaceId: string | null; from: Date; to: Date },
  ): AsyncIterable<readonly ReportedBooking[]>;
  /** The time zones of the host's spaces, or of the one, by the space's id. */
  spaceZones(hostId: string, spaceId: string | null): Promise<Map<string, string>>;
  /** Of these spaces those of the host; each may have some 50 KB of opening times. Others have a turn first. */
  spaces(hostId: string, spaceIds: readonly string[]): Promise<SpaceView[]>;
}

/** The latest versions of the views, one per event, kept for some minutes for live subscribers. */
export interface ViewVersions {
  /** The result of each request, in order; null where there is no view that a customer sees. */
  find(requests: readonly ParsedVersionQuestion[]): Promise<(RequestedVersions | null)[]>;
  /** Up to `limit` versions in the order of their projection, from an instant or after a position. */
  projectedSince(
    since: Date,
    after: ProjectionPosition | null,
    limit: number,
  ): Promise<ProjectedVersion[]>;
  /** Deletes up to 500 expired versions; resolves with whether there may be more. */
  deleteOld(): Promise<boolean>;
}

/** The versions that a {@link ParsedVersionQuestion} requests. */
export interface RequestedVersions {
  present: BookingStatusView;
  /** Oldest first. */
  versions: ViewWithTimeline[];
}

/** The position of a version in the order of projection. */
export interface ProjectionPosition {
  projectedAt: Date;
  bookingId: string;
  version: number;
}

export interface ProjectedVersion extends ProjectionPosition {
  customerId: string;
  hostId: string | null;
}

/** The progress of a rebuild. */
export interface RebuildProgress {
  eventsRead: number;
  /** An estimate, made when the rebuild began. */
  eventsTotal: number;
  viewsCompared: number;
  /** Bookings and spaces that the live and the new generation show differently. */
  differences: number;
  /** The first of the bookings. */
  differingBookingIds: readonly string[];
}

export type RebuildState = 'BUILDING' | 'COMPARING' | 'SWITCHED' | 'DIFFERENT' | 'FAILED';

/** A rebuild, identified by the generation that it fills. */
export interface Rebuild extends RebuildProgress {
  generation: number;
  state: RebuildState;
  startedAt: Date;
  finishedAt: Date | null;
  message: string;
}

/** A view with its timeline: these must be equal in two generations. */
export interface ViewWithTimeline {
  view: BookingStatusView;
  timeline: readonly StatusChange[];
}

/** Copies of the read model; readers see the live one only. */
export interface ViewGenerations {
  /** Adds an empty generation, which projectors write from now on; null while another is being built. */
  begin(): Promise<Rebuild | null>;
  /** The newest rebuild; null: there was none. */
  latest(): Promise<Rebuild | null>;
  live(): Promise<number>;
  /**
   * Projects events into this generation alone, each once, and renews the lease; `eventsRead`: all that were
   * read so far. Rejects when the generation is no longer being built.
   */
  project(generation: number, events: readonly ConsumedEvent[], eventsRead: number): Promise<void>;
  /** Stores the progress and renews the lease. Rejects when it is no longer being built. */
  recordProgress(
    generation: number,
    progress: Partial<RebuildProgress> & { state?: 'COMPARING' },
  ): Promise<void>;
  /** Views in the order of their booking ids. */
  viewsAfter(generation: number, bookingId: string, limit: number): Promise<ViewWithTimeline[]>;
  findViews(generation: number, bookingIds: readonly string[]): Promise<ViewWithTimeline[]>;
  /** Spaces in the order of their ids. */
  spacesAfter(generation: number, spaceId: string, limit: number): Promise<SpaceView[]>;
  /**
   * Raises the versions of these views above the live generation's where the views differ, and up to them
   * where they are equal: subscribers have seen the live versions.
   */
  raiseVersions(
    generation: number,
    live: number,
    bookingIds: readonly string[],
    where: 'lower' | 'not higher',
  ): Promise<void>;
  /** Makes the generation live. The previous one is written for some seconds more. */
  switchTo(generation: number, message: string): Promise<void>;
  /** Ends the rebuild; the live generation stays. */
  fail(generation: number, state: 'DIFFERENT' | 'FAILED', message: string): Promise<void>;
}

export type PublishingContext = 'book' | 'payment' | 'space';

/** An event that another context has stored. */
export interface StoredEvent {
  id: string;
  /** Null: mypage does not consume it, or cannot read it. */
  event: ConsumedEvent | null;
  isUnreadable: boolean;
}

/** All events that the other contexts have ever published. */
export interface StoredEvents {
  /** In the order of ids; `next` continues, null at the end. Rejects when the context does not respond. */
  page(
    from: PublishingContext,
    after: string | null,
  ): Promise<{ events: StoredEvent[]; next: string | null }>;
  /** An estimate. */
  count(from: PublishingContext): Promise<number>;
}

export interface RebuildPorts {
  generations: ViewGenerations;
  events: StoredEvents;
  clock: () => Date;
  pause: (ms: number) => Promise<unknown>;
  log: (message: string, fields: object) => void;
}
