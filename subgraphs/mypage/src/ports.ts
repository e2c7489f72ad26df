import type { ParsedVersionQuestion } from '#contracts/mypage.ts';
import type { BookingStatusView, ProjectedEvent, StatusChange } from './booking-status-view.ts';

export interface ViewStore {
  /**
   * Takes events into their views, each once: events, views and inbox are written in one
   * transaction, for every generation that is being kept. What meets a concurrent writer is tried
   * again; when it rejects, nothing is written. Resolves with the views' new versions, one for each
   * event that was not taken before.
   */
  project(events: readonly ProjectedEvent[]): Promise<BookingStatusView[]>;
  /** The customer's views after the position, newest start first. */
  list(
    customerId: string,
    page: { limit: number; after: ViewPosition | null; statuses: readonly string[] | null },
  ): Promise<BookingStatusView[]>;
  find(customerId: string, bookingId: string): Promise<BookingStatusView | null>;
  /** Oldest first. */
  timelines(bookingIds: readonly string[]): Promise<Map<string, StatusChange[]>>;
}

/** Where a view stands in the customer's list. */
export interface ViewPosition {
  startAt: Date;
  bookingId: string;
}

/** The views' latest versions, one for each event, kept for some minutes for live subscribers. */
export interface ViewVersions {
  /** Answers each question; null where there is no view that is shown to somebody. */
  of(questions: readonly ParsedVersionQuestion[]): Promise<(AskedVersions | null)[]>;
  /** Up to `limit` versions in the order of their projection, from that instant or after that place. */
  projectedSince(since: Date, after: VersionPlace | null, limit: number): Promise<NotedVersion[]>;
  /** Deletes up to 500 versions that are older than is kept; resolves with whether there are more. */
  prune(): Promise<boolean>;
}

/** See {@link ParsedVersionQuestion} for what was asked. */
export interface AskedVersions {
  present: BookingStatusView;
  /** Oldest first. */
  versions: WholeView[];
}

/** Where a version stands in the order of projection. */
export interface VersionPlace {
  projectedAt: Date;
  bookingId: string;
  version: number;
}

export interface NotedVersion extends VersionPlace {
  customerId: string;
}

/** How far a rebuild has come. */
export interface RebuildProgress {
  eventsRead: number;
  /** An estimate, from when the rebuild began. */
  eventsTotal: number;
  viewsCompared: number;
  /** Bookings that the live and the new generation show differently. */
  differences: number;
  /** The first of them. */
  differingBookingIds: readonly string[];
}

export type RebuildState = 'BUILDING' | 'COMPARING' | 'SWITCHED' | 'DIFFERENT' | 'FAILED';

/** A rebuild, known by the generation that it makes. */
export interface Rebuild extends RebuildProgress {
  generation: number;
  state: RebuildState;
  startedAt: Date;
  finishedAt: Date | null;
  message: string;
}

/** A view with its timeline: what must be equal in two generations. */
export interface WholeView {
  view: BookingStatusView;
  timeline: readonly StatusChange[];
}

/** Several copies of the read model beside each other; readers see the live one alone. */
export interface ViewGenerations {
  /** Adds an empty generation, which projectors write from now on; null while one is being built. */
  begin(): Promise<Rebuild | null>;
  /** The newest rebuild; null when there never was one. */
  latest(): Promise<Rebuild | null>;
  live(): Promise<number>;
  /**
   * Takes events into this generation alone, each once, and keeps the lease: `eventsRead` in all.
   * Rejects when it is no longer being built.
   */
  take(generation: number, events: readonly ProjectedEvent[], eventsRead: number): Promise<void>;
  /** Keeps the lease and tells how far it is. Rejects when it is no longer being built. */
  note(
    generation: number,
    progress: Partial<RebuildProgress> & { state?: 'COMPARING' },
  ): Promise<void>;
  /** Views in the order of their booking ids. */
  viewsAfter(generation: number, bookingId: string, limit: number): Promise<WholeView[]>;
  viewsOf(generation: number, bookingIds: readonly string[]): Promise<WholeView[]>;
  /**
   * Sees to it that these views have higher versions in the new generation than in the live one where they
   * differ, and no lower ones where they don't: subscribers know the live one's.
   */
  raiseVersions(
    generation: number,
    live: number,
    bookingIds: readonly string[],
    where: 'lower' | 'not higher',
  ): Promise<void>;
  /** Makes it the live one. The one before it is written for some seconds more. */
  switchTo(generation: number, message: string): Promise<void>;
  giveUp(generation: number, state: 'DIFFERENT' | 'FAILED', message: string): Promise<void>;
}

export type ToldBy = 'book' | 'payment' | 'space';

/** An event that another context has stored. */
export interface StoredEvent {
  id: string;
  /** Null: mypage does not take it, or cannot read it. */
  event: ProjectedEvent | null;
  isUnreadable: boolean;
}

/** What the other contexts have told since their beginning. */
export interface StoredEvents {
  /** In the order of ids; `next` is where to go on, null at the end. Rejects when it is not reached. */
  page(from: ToldBy, after: string | null): Promise<{ events: StoredEvent[]; next: string | null }>;
  /** An estimate. */
  count(from: ToldBy): Promise<number>;
}

export interface RebuildPorts {
  generations: ViewGenerations;
  events: StoredEvents;
  clock: () => Date;
  pause: (ms: number) => Promise<unknown>;
  log: (message: string, facts: object) => void;
}
