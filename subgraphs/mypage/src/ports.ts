import type { BookingStatusView, ProjectedEvent, StatusChange } from './booking-status-view.ts';

export interface ViewStore {
  /**
   * Takes events into their views, each once: events, views and inbox are written in one
   * transaction. Rejects when a concurrent writer was faster; then nothing is written.
   */
  project(events: readonly ProjectedEvent[]): Promise<void>;
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
  startAt: string;
  bookingId: string;
}
