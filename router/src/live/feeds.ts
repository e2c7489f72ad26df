import { setTimeout as pause } from 'node:timers/promises';
import type {
  VersionAnswer,
  VersionQuestion,
  ViewNotification,
  ViewVersion,
} from '#contracts/mypage.ts';

/**
 * Is told of every version of what it watches, in order, once. `isReset`: the read model was rebuilt
 * with other versions, and counts anew from this one.
 */
export type Watcher = (version: ViewVersion, isReset: boolean) => void;

export interface Watch {
  end(): void;
}

export interface BookingWatch extends Watch {
  /** The watcher has read this version itself: newer ones follow. */
  startAt(version: number): void;
}

/** Asks until it is answered; rejects only when that is enough. */
type Ask = (question: VersionQuestion, isEnough: () => boolean) => Promise<VersionAnswer | null>;

/** A read that is older than its notification is repeated so often; then a sweep has to find it. */
const STALE_READS = 25;
const PAUSE_MS = 200;

/** One booking's view, for all who watch it. */
export interface BookingFeed {
  watch(watcher: Watcher): BookingWatch;
  /** There is this version, or a newer one. */
  note(version: number): void;
  /** Looks whether there is something new. */
  read(): void;
}

export function bookingFeed(bookingId: string, ask: Ask, onEmpty: () => void): BookingFeed {
  const watchers = new Set<Watcher>();
  const isDeserted = () => watchers.size === 0;
  /** The version that all watchers have been told of; unknown until one has read the view. */
  let position: number | undefined;
  let noticed = Number.NEGATIVE_INFINITY;
  let isUnsure = false;
  let isReading = false;

  /** Tells what follows the position, and returns the new one. */
  async function tellNewer(than: number): Promise<number> {
    const answer = await ask({ bookingId, after: than }, isDeserted).catch(() => null);
    let at = than;
    for (const view of answer?.versions ?? []) {
      const isReset = view.version <= at;
      at = view.version;
      for (const watcher of watchers) watcher(view, isReset);
    }
    return at;
  }

  async function catchUp(): Promise<void> {
    if (isReading || position === undefined) return;
    isReading = true;
    for (let stale = 0; stale < STALE_READS && !isDeserted(); ) {
      if (!isUnsure && noticed <= position) break;
      isUnsure = false;
      const before: number = position;
      position = await tellNewer(before);
      stale = position === before ? stale + 1 : 0;
      if (stale > 0 && noticed > position) await pause(PAUSE_MS);
    }
    noticed = Math.min(noticed, position);
    isReading = false;
  }

  return {
    watch(watcher) {
      watchers.add(watcher);
      return {
        startAt(version) {
          position ??= version;
          void catchUp();
        },
        end() {
          watchers.delete(watcher);
          if (isDeserted()) onEmpty();
        },
      };
    },
    note(version) {
      noticed = Math.max(noticed, version);
      void catchUp();
    },
    read() {
      isUnsure = true;
      void catchUp();
    },
  };
}

/** All views of one customer, for all who watch them. */
export interface CustomerFeed {
  watch(watcher: Watcher): Watch;
  /** `projectedAt` is told by a sweep, which also tells of what was before the feed began. */
  note(notification: ViewNotification, projectedAt?: string): void;
}

/** `since`: when it begins, by mypage's clock. */
export function customerFeed(since: string, ask: Ask, onEmpty: () => void): CustomerFeed {
  const watchers = new Set<Watcher>();
  const isDeserted = () => watchers.size === 0;
  /** The version of each booking that all watchers have been told of. */
  const positions = new Map<string, number>();
  /** The newest version that is known to be there, of bookings that are being read. */
  const reading = new Map<string, number>();

  async function catchUp(bookingId: string, first: number): Promise<void> {
    for (let stale = 0; stale < STALE_READS && !isDeserted(); ) {
      const position = positions.get(bookingId);
      const at = position ?? first - 1;
      if (Number(reading.get(bookingId)) <= at) break;
      // Of a booking that is new to the feed, a notification may have been lost before this one.
      const question = { bookingId, after: at, ...(position === undefined && { since }) };
      const answer = await ask(question, isDeserted).catch(() => null);
      for (const view of answer?.versions ?? []) {
        positions.set(bookingId, view.version);
        for (const watcher of watchers) watcher(view, false);
      }
      stale = answer?.versions.length ? 0 : stale + 1;
      if (stale > 0) await pause(PAUSE_MS);
    }
    reading.delete(bookingId);
  }

  return {
    watch(watcher) {
      watchers.add(watcher);
      return {
        end() {
          watchers.delete(watcher);
          if (isDeserted()) onEmpty();
        },
      };
    },
    note({ bookingId, version }, projectedAt) {
      const position = positions.get(bookingId);
      if (position !== undefined && version <= position) return;
      if (position === undefined && projectedAt !== undefined && projectedAt < since) return;
      const isReading = reading.has(bookingId);
      reading.set(bookingId, Math.max(reading.get(bookingId) ?? version, version));
      if (!isReading) void catchUp(bookingId, version);
    },
  };
}
