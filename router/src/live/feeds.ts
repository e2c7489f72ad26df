import { setTimeout as pause } from 'node:timers/promises';
import type {
  VersionQuery,
  VersionResult,
  ViewNotification,
  ViewVersion,
} from '#contracts/mypage.ts';

/**
 * Receives every version of what it watches, in order, once. `isReset`: the read model was rebuilt with
 * other versions, and the numbering continues from this one.
 */
export type Watcher = (version: ViewVersion, isReset: boolean) => void;

export interface Watch {
  end(): void;
}

export interface BookingWatch extends Watch {
  /** The watcher has read this version itself; it receives the newer ones. */
  startAt(version: number): void;
}

/** Retries until mypage responds; rejects once `shouldStop` returns true. */
type ReadVersions = (
  query: VersionQuery,
  shouldStop: () => boolean,
) => Promise<VersionResult | null>;

/** Reads that return less than the notification announced; after them the next poll finds the rest. */
const MAX_STALE_READS = 25;
const RETRY_PAUSE_MS = 200;

/** One booking's view, for all of its watchers. */
export interface BookingFeed {
  watch(watcher: Watcher): BookingWatch;
  /** Announces this version, or a newer one. */
  notify(version: number): void;
  /** Reads the view even though nothing was announced. */
  read(): void;
}

export function bookingFeed(
  bookingId: string,
  readVersions: ReadVersions,
  onEmpty: () => void,
): BookingFeed {
  const watchers = new Set<Watcher>();
  const isUnwatched = () => watchers.size === 0;
  /** The last version delivered to all watchers; undefined until one of them has read the view. */
  let position: number | undefined;
  let notifiedVersion = Number.NEGATIVE_INFINITY;
  let mustRead = false;
  let isReading = false;

  /** Delivers the versions after `position`; returns the last one delivered. */
  async function deliverNewer(after: number): Promise<number> {
    const result = await readVersions({ bookingId, after }, isUnwatched).catch(() => null);
    let last = after;
    for (const view of result?.versions ?? []) {
      const isReset = view.version <= last;
      last = view.version;
      for (const watcher of watchers) watcher(view, isReset);
    }
    return last;
  }

  async function catchUp(): Promise<void> {
    if (isReading || position === undefined) return;
    isReading = true;
    for (let staleReads = 0; staleReads < MAX_STALE_READS && !isUnwatched(); ) {
      if (!mustRead && notifiedVersion <= position) break;
      mustRead = false;
      const before: number = position;
      position = await deliverNewer(before);
      staleReads = position === before ? staleReads + 1 : 0;
      if (staleReads > 0 && notifiedVersion > position) await pause(RETRY_PAUSE_MS);
    }
    notifiedVersion = Math.min(notifiedVersion, position);
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
          if (isUnwatched()) onEmpty();
        },
      };
    },
    notify(version) {
      notifiedVersion = Math.max(notifiedVersion, version);
      void catchUp();
    },
    read() {
      mustRead = true;
      void catchUp();
    },
  };
}

/** All views of one customer, for all of their watchers. */
export interface CustomerFeed {
  watch(watcher: Watcher): Watch;
  /** A poll passes `projectedAt`, because it also returns what was projected before the feed began. */
  notify(notification: ViewNotification, projectedAt?: string): void;
}

/** `since`: when it begins, by mypage's clock. */
export function customerFeed(
  since: string,
  readVersions: ReadVersions,
  onEmpty: () => void,
): CustomerFeed {
  const watchers = new Set<Watcher>();
  const isUnwatched = () => watchers.size === 0;
  /** The last version of each booking that was delivered to all watchers. */
  const positions = new Map<string, number>();
  /** The newest announced version of each booking that is being read. */
  const reading = new Map<string, number>();

  async function catchUp(bookingId: string, first: number): Promise<void> {
    for (let staleReads = 0; staleReads < MAX_STALE_READS && !isUnwatched(); ) {
      const position = positions.get(bookingId);
      const after = position ?? first - 1;
      if (Number(reading.get(bookingId)) <= after) break;
      // The first notification of a booking can be lost: read all since the feed began.
      const query = { bookingId, after, ...(position === undefined && { since }) };
      const result = await readVersions(query, isUnwatched).catch(() => null);
      for (const view of result?.versions ?? []) {
        positions.set(bookingId, view.version);
        for (const watcher of watchers) watcher(view, false);
      }
      staleReads = result?.versions.length ? 0 : staleReads + 1;
      if (staleReads > 0) await pause(RETRY_PAUSE_MS);
    }
    reading.delete(bookingId);
  }

  return {
    watch(watcher) {
      watchers.add(watcher);
      return {
        end() {
          watchers.delete(watcher);
          if (isUnwatched()) onEmpty();
        },
      };
    },
    notify({ bookingId, version }, projectedAt) {
      const position = positions.get(bookingId);
      if (position !== undefined && version <= position) return;
      if (position === undefined && projectedAt !== undefined && projectedAt < since) return;
      const isReading = reading.has(bookingId);
      reading.set(bookingId, Math.max(reading.get(bookingId) ?? version, version));
      if (!isReading) void catchUp(bookingId, version);
    },
  };
}
