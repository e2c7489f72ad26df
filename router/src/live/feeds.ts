import { setTimeout as pause } from 'node:timers/promises';
import type { VersionQuery, VersionResult, ViewVersion } from '#contracts/mypage.ts';

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
export type ReadVersions = (
  query: VersionQuery,
  shouldStop: () => boolean,
) => Promise<VersionResult | null>;

/** Reads that return less than the notification announced; after them the next poll finds the rest. */
export const MAX_STALE_READS = 25;
export const RETRY_PAUSE_MS = 200;

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
