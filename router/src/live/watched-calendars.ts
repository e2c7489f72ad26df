import { changedCalendars, MAX_CALENDAR_QUERIES } from '#contracts/calendars.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Subscriber } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { throttledWarnings } from '#platform/observability/throttled-warnings.ts';
import {
  CalendarFeed,
  type CalendarWatch,
  type SlotRange,
  type SlotsWatcher,
} from './calendar-feed.ts';
import { type CalendarSource, MAX_CALENDAR_REQUESTS } from './calendar-source.ts';

/** The free slots that subscriptions of this process watch, kept up to date. */
export interface WatchedCalendars {
  /** Calls the watcher with every state after the first one that is read, unless it equals the one before. */
  watch(range: SlotRange, watcher: SlotsWatcher): CalendarWatch;
  close(): Promise<void>;
}

/** A lost notification, and what time alone changes, is found by the next poll at the latest. */
const POLL_MS = 1_000;
const RETRY_PAUSE_MS = 200;

/**
 * One feed for each watched range, read on the notifications of its space and at every poll. Reads of many
 * feeds share a request; ranges that are not watched cost nothing.
 */
export function watchedCalendars(deps: {
  source: CalendarSource;
  /** Subscribes to book's notifications until it is closed. */
  listen: (subscriber: Subscriber) => { close(): Promise<void> };
  logger: Logger;
}): WatchedCalendars {
  const { source, logger } = deps;
  const warn = throttledWarnings(logger, 'free slots could not be read from book');
  /** By space, then by range. */
  const feeds = new Map<string, Map<string, CalendarFeed>>();
  let dirty = new Set<CalendarFeed>();
  let isScheduled = false;
  let running = 0;
  const retries = new Map<CalendarFeed, NodeJS.Timeout>();

  function read(feed: CalendarFeed): void {
    feed.isDirty = true;
    // A read that is under way may have missed the change: it is followed by another one.
    if (feed.isReading) return;
    dirty.add(feed);
    schedule();
  }

  function schedule(): void {
    if (isScheduled || dirty.size === 0) return;
    isScheduled = true;
    setImmediate(flush);
  }

  function flush(): void {
    isScheduled = false;
    while (dirty.size > 0 && running < MAX_CALENDAR_REQUESTS) {
      const all = [...dirty];
      dirty = new Set(all.slice(MAX_CALENDAR_QUERIES));
      running += 1;
      void readBatch(all.slice(0, MAX_CALENDAR_QUERIES)).finally(() => {
        running -= 1;
        schedule();
      });
    }
  }

  async function readBatch(batch: readonly CalendarFeed[]): Promise<void> {
    const reads = batch.map((feed) => feed.begin());
    try {
      const results = await source.read(batch.map(({ query }) => query));
      for (const [index, { succeeded }] of reads.entries()) succeeded(results[index] ?? null);
    } catch (error) {
      warn(error);
      for (const { failed } of reads) failed(error);
    }
    for (const feed of batch) {
      if (feed.isDirty) read(feed);
      // The next poll reads the others.
      else if (feed.hasReaders) retryLater(feed);
    }
  }

  function retryLater(feed: CalendarFeed): void {
    clearTimeout(retries.get(feed));
    const retry = () => {
      retries.delete(feed);
      read(feed);
    };
    retries.set(feed, setTimeout(retry, RETRY_PAUSE_MS));
  }

  function readAll(): void {
    for (const ranges of feeds.values()) for (const feed of ranges.values()) read(feed);
  }

  function findOrAdd(range: SlotRange): CalendarFeed {
    const ranges = feeds.get(range.spaceId) ?? new Map<string, CalendarFeed>();
    feeds.set(range.spaceId, ranges);
    const key = toKey(range);
    const feed = ranges.get(key) ?? new CalendarFeed(range);
    ranges.set(key, feed);
    return feed;
  }

  function removeUnwatched(feed: CalendarFeed): void {
    const { spaceId } = feed.range;
    const key = toKey(feed.range);
    const ranges = feeds.get(spaceId);
    if (feed.watchers.size > 0 || ranges?.get(key) !== feed) return;
    ranges.delete(key);
    if (ranges.size === 0) feeds.delete(spaceId);
    clearTimeout(retries.get(feed));
    retries.delete(feed);
  }

  const listening = deps.listen({
    onMessage(text) {
      try {
        for (const spaceId of changedCalendars.parse(JSON.parse(text))) {
          for (const feed of feeds.get(spaceId)?.values() ?? []) read(feed);
        }
      } catch (error) {
        logger.warn({ err: error }, 'a notification of calendars could not be parsed');
      }
    },
    onConnected: readAll,
  });
  const stopPolling = repeat(logger, 'polling book for free slots', POLL_MS, async () => readAll());

  return {
    watch(range, watcher) {
      const feed = findOrAdd(range);
      feed.watchers.add(watcher);
      return {
        present() {
          const state = feed.next();
          read(feed);
          return state;
        },
        end() {
          feed.watchers.delete(watcher);
          removeUnwatched(feed);
        },
      };
    },
    async close() {
      await stopPolling();
      for (const timer of retries.values()) clearTimeout(timer);
      await listening.close();
    },
  };
}

const toKey = ({ from, to }: SlotRange) => `${from} ${to}`;
