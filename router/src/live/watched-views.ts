import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import {
  type VersionQuery,
  type VersionResult,
  type ViewNotification,
  type ViewVersion,
  viewNotifications,
} from '#contracts/mypage.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Subscriber } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { parseTraceparent } from '#platform/tracing/traceparent.ts';
import type { SpanContext } from '#platform/tracing/tracing.ts';
import {
  type BookingFeed,
  type BookingWatch,
  bookingFeed,
  type Watch,
  type Watcher,
} from './feeds.ts';
import { notificationPoller } from './notification-poller.ts';
import { type OwnerFeed, ownerFeed } from './owner-feed.ts';
import type { ViewSource } from './view-source.ts';

/** The views that subscriptions of this process watch, kept up to date. */
export interface WatchedViews {
  /** Calls the watcher with the booking's versions after the one that the watcher reads itself. */
  booking(bookingId: string, watcher: Watcher): BookingWatch;
  /** Calls the watcher with all new versions of the customer's views, from now on. */
  customer(customerId: string, watcher: Watcher): Promise<Watch>;
  /** The same of the bookings of the host's spaces; versions of other hosts' bookings are never among them. */
  host(hostId: string, watcher: Watcher): Promise<Watch>;
  /** Reads versions from mypage; retries for 10 s before it rejects. */
  readVersions(query: VersionQuery): Promise<VersionResult | null>;
  /** The span that has written a version of which this process was notified lately. */
  findSpan(version: ViewVersion): SpanContext | undefined;
  close(): Promise<void>;
}

/** A lost notification is found by the next poll at the latest. */
const POLL_MS = 5_000;
const READ_TIMEOUT_MS = 10_000;
const RETRY_PAUSE_MS = 200;
/** Of notifications: their versions are read at once. */
const MAX_SPANS = 1_000;

export function watchedViews(deps: {
  source: ViewSource;
  /** Subscribes to mypage's notifications until it is closed. */
  listen: (subscriber: Subscriber) => { close(): Promise<void> };
  logger: Logger;
}): WatchedViews {
  const { source, logger } = deps;
  const bookings = new Map<string, BookingFeed>();
  const customers = new Map<string, OwnerFeed>();
  const hosts = new Map<string, OwnerFeed>();
  const spans = new LRUCache<string, SpanContext>({ max: MAX_SPANS });
  let isClosed = false;

  /** Retries until mypage responds; rejects once `shouldStop` returns true. */
  async function readWithRetries(
    query: VersionQuery,
    shouldStop: () => boolean,
  ): Promise<VersionResult | null> {
    for (;;) {
      try {
        return await source.readVersions(query);
      } catch (error) {
        if (isClosed || shouldStop()) throw error;
        await pause(RETRY_PAUSE_MS);
      }
    }
  }

  function notify(notification: ViewNotification, projectedAt?: string): void {
    const span = parseTraceparent(notification.traceparent);
    if (span) spans.set(spanKey(notification), span);
    bookings.get(notification.bookingId)?.notify(notification.version);
    customers.get(notification.customerId)?.notify(notification, projectedAt);
    hosts.get(notification.hostId ?? '')?.notify(notification, projectedAt);
  }

  function readAll(): void {
    for (const feed of bookings.values()) feed.read();
  }

  const isWatched = () => bookings.size + customers.size + hosts.size > 0;
  const poller = notificationPoller({ source, isWatched, notify, readAll });
  const listening = deps.listen({
    onMessage(text) {
      try {
        for (const notification of viewNotifications.parse(JSON.parse(text))) notify(notification);
      } catch (error) {
        logger.warn({ err: error }, 'a notification could not be parsed');
      }
    },
    onConnected() {
      readAll();
      poller.poll().catch(() => {});
    },
  });
  const stopPolling = repeat(logger, 'polling mypage for notifications', POLL_MS, poller.poll);

  async function watchOwner(
    feeds: Map<string, OwnerFeed>,
    id: string,
    isOwn: (version: ViewVersion) => boolean,
    watcher: Watcher,
  ): Promise<Watch> {
    if (!poller.hasPolled) await poller.poll();
    let feed = feeds.get(id);
    if (!feed) {
      feed = ownerFeed(poller.sourceTime(), isOwn, readWithRetries, () => feeds.delete(id));
      feeds.set(id, feed);
    }
    return feed.watch(watcher);
  }

  return {
    booking(bookingId, watcher) {
      let feed = bookings.get(bookingId);
      if (!feed) {
        feed = bookingFeed(bookingId, readWithRetries, () => bookings.delete(bookingId));
        bookings.set(bookingId, feed);
      }
      return feed.watch(watcher);
    },
    // Mypage notifies of a customer's bookings by their ids: all versions of one are the customer's.
    customer: (customerId, watcher) => watchOwner(customers, customerId, () => true, watcher),
    host: (hostId, watcher) =>
      watchOwner(hosts, hostId, (version) => version.host?.hostId === hostId, watcher),
    readVersions(query) {
      const deadline = performance.now() + READ_TIMEOUT_MS;
      return readWithRetries(query, () => performance.now() > deadline);
    },
    findSpan: (version) => spans.get(spanKey(version)),
    async close() {
      isClosed = true;
      await stopPolling();
      await listening.close();
    },
  };
}

function spanKey({ bookingId, version }: Pick<ViewVersion, 'bookingId' | 'version'>): string {
  return `${bookingId} ${version}`;
}
