import {
  type BookingRecord,
  type BookingRecords,
  findViolations,
  isPassing,
  type Violation,
} from '../domain/consistency.ts';

/** Whose events say which bookings changed. */
export type EventSource = 'book' | 'payment' | 'space';

export interface ChangedBookings {
  bookingIds: string[];
  /** The id of the last event that was read; null: there was none. */
  last: string | null;
  /** Whether more events are waiting to be read. */
  hasMore: boolean;
}

/** Where the reconciliation stands, and what it found; shared by all replicas. */
export interface ReconciliationStore {
  /** Leases a source that is due; returns the id of the last event that was compared, null if it is not due. */
  lease(source: EventSource): Promise<string | null>;
  /** Moves on; `isCaughtUp`: nothing is waiting, so the source is due again after the interval. */
  advance(source: EventSource, eventId: string, isCaughtUp: boolean): Promise<void>;
  /** Ends the lease after a failure: the source is due again after the interval. */
  release(source: EventSource): Promise<void>;
  /** The bookings among these that book has. */
  bookings(ids: readonly string[]): Promise<BookingRecord[]>;
  /** The bookings with open violations, at most 500. */
  openViolations(): Promise<string[]>;
  /** Replaces what is recorded of these bookings; returns the violations that are new. */
  record(bookingIds: readonly string[], violations: readonly Violation[]): Promise<Violation[]>;
}

/** What the contexts have stored; every call rejects while the context does not respond. */
export interface ContextRecords {
  /** The bookings of events after `eventId` that are older than the settling delay. */
  changedAfter(source: EventSource, eventId: string): Promise<ChangedBookings>;
  /** The other contexts' records, in the order of the ids. */
  read(ids: readonly string[]): Promise<Omit<BookingRecords, 'booking'>[]>;
}

export interface ReconcilePorts {
  store: ReconciliationStore;
  records: ContextRecords;
  /** Resolves after a delay in which events on their way arrive. */
  waitForEvents: () => Promise<void>;
  /** Counts the bookings that were compared. */
  countCompared: (bookings: number) => void;
  report: (violation: Violation) => void;
}

const SOURCES: readonly EventSource[] = ['book', 'payment', 'space'];
const MAX_PAGES = 20;

/**
 * Compares what all contexts store of the bookings that changed since the last round, and of those with
 * open violations. Bounded per round; a context that does not respond postpones the comparison, and
 * nothing is skipped.
 */
export async function reconcile(ports: ReconcilePorts): Promise<void> {
  const { store } = ports;
  for (const source of SOURCES) {
    const position = await store.lease(source);
    if (position === null) continue;
    try {
      if (source === 'book') await compare(ports, await store.openViolations());
      await compareChanges(ports, source, position);
    } catch (error) {
      await store.release(source);
      throw error;
    }
  }
}

async function compareChanges(
  ports: ReconcilePorts,
  source: EventSource,
  start: string,
): Promise<void> {
  let position = start;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const { bookingIds, last, hasMore } = await ports.records.changedAfter(source, position);
    await compare(ports, bookingIds);
    position = last ?? position;
    await ports.store.advance(source, position, !hasMore);
    if (!hasMore) return;
  }
}

async function compare(ports: ReconcilePorts, bookingIds: readonly string[]): Promise<void> {
  if (bookingIds.length === 0) return;
  const first = await compareRecords(ports, bookingIds);
  const suspects = [...new Set(first.violations.map((each) => each.bookingId))];
  let { violations, passing } = first;
  if (suspects.length > 0) {
    // The contexts are read one after the other: a booking that changes in between seems wrong once.
    await ports.waitForEvents();
    const second = await compareRecords(ports, suspects);
    violations = second.violations;
    passing = [...passing, ...second.passing];
  }
  ports.countCompared(bookingIds.length);
  // The open violations of a booking that is passing stay open, and have it compared again.
  const compared = bookingIds.filter((id) => !passing.includes(id));
  for (const violation of await ports.store.record(compared, violations)) ports.report(violation);
}

/** What contradicts, and the bookings of which most could not be compared. */
interface Comparison {
  violations: Violation[];
  passing: string[];
}

async function compareRecords(
  { store, records }: ReconcilePorts,
  ids: readonly string[],
): Promise<Comparison> {
  const [bookings, others] = await Promise.all([store.bookings(ids), records.read(ids)]);
  const byId = new Map(bookings.map((booking) => [booking.id, booking]));
  const all = others.map((each) => ({ ...each, booking: byId.get(each.bookingId) ?? null }));
  return {
    violations: all.flatMap(findViolations),
    passing: all.filter(isPassing).map(({ bookingId }) => bookingId),
  };
}
