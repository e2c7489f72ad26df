import { setTimeout as pause } from 'node:timers/promises';
import type { ViewNotification, ViewVersion } from '#contracts/mypage.ts';
import {
  MAX_STALE_READS,
  RETRY_PAUSE_MS,
  type ReadVersions,
  type Watch,
  type Watcher,
} from './feeds.ts';

/** All views of one customer, or of the spaces of one host, for all of their watchers. */
export interface OwnerFeed {
  watch(watcher: Watcher): Watch;
  /** A poll passes `projectedAt`, because it also returns what was projected before the feed began. */
  notify(notification: ViewNotification, projectedAt?: string): void;
}

/**
 * `since`: when it begins, by mypage's clock. `isOwn`: whether the owner may see the version; another one
 * is not delivered.
 */
export function ownerFeed(
  since: string,
  isOwn: (version: ViewVersion) => boolean,
  readVersions: ReadVersions,
  onEmpty: () => void,
): OwnerFeed {
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
      const versions = result?.versions.filter(isOwn) ?? [];
      for (const view of versions) {
        positions.set(bookingId, view.version);
        for (const watcher of watchers) watcher(view, false);
      }
      staleReads = versions.length > 0 ? 0 : staleReads + 1;
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
