import { setTimeout as pause } from 'node:timers/promises';
import {
  type VersionAnswer,
  type VersionQuestion,
  type ViewNotification,
  viewNotifications,
} from '#contracts/mypage.ts';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Subscriber } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import {
  type BookingFeed,
  type BookingWatch,
  bookingFeed,
  type CustomerFeed,
  customerFeed,
  type Watch,
  type Watcher,
} from './feeds.ts';
import type { ViewSource } from './view-source.ts';

/** The views that somebody watches, kept up to date. */
export interface WatchedViews {
  /** Tells of the booking's versions that follow the one which the watcher reads itself. */
  booking(bookingId: string, watcher: Watcher): BookingWatch;
  /** Tells of all new versions of the customer's views, from now on. */
  customer(customerId: string, watcher: Watcher): Promise<Watch>;
  /** Asks mypage, again and again for 10 s when it does not answer; rejects after that. */
  ask(question: VersionQuestion): Promise<VersionAnswer | null>;
  close(): Promise<void>;
}

/** Notifications may get lost: so often mypage is asked what is new. */
const SWEEP_MS = 5_000;
/** Longer than the longest transaction: what is committed late has an earlier instant. */
const SLACK_MS = 30_000;
const PATIENCE_MS = 10_000;
const PAUSE_MS = 200;
/** Every so many sweeps each watched booking is read, whatever the notifications say. */
const SWEEPS_PER_READING = 12;

export function watchedViews(deps: {
  source: ViewSource;
  /** Listens to mypage's notifications until it is closed. */
  listen: (subscriber: Subscriber) => { close(): Promise<void> };
  logger: Logger;
}): WatchedViews {
  const { source, logger } = deps;
  const bookings = new Map<string, BookingFeed>();
  const customers = new Map<string, CustomerFeed>();
  /** By mypage's clock: what was projected before is known. */
  let sweptUntil: number | undefined;
  /** How far mypage's clock is ahead of this one. */
  let aheadMs = 0;
  let sweeps = 0;
  let sweeping: Promise<void> | undefined;
  let closed = false;

  /** Tries until it is answered or nobody wants to know any more. */
  async function askUntil(
    question: VersionQuestion,
    isEnough: () => boolean,
  ): Promise<VersionAnswer | null> {
    for (;;) {
      try {
        return await source.ask(question);
      } catch (error) {
        if (closed || isEnough()) throw error;
        await pause(PAUSE_MS);
      }
    }
  }

  function note(notification: ViewNotification, projectedAt?: string): void {
    bookings.get(notification.bookingId)?.note(notification.version);
    customers.get(notification.customerId)?.note(notification, projectedAt);
  }

  function readAll(): void {
    for (const feed of bookings.values()) feed.read();
  }

  async function sweepOnce(): Promise<void> {
    const slack = bookings.size + customers.size > 0 ? SLACK_MS : 0;
    const since = new Date((sweptUntil ?? Date.now()) - slack).toISOString();
    const first = await source.notifications(since, null);
    for (let page = first; ; page = await source.notifications(since, page.next)) {
      for (const notification of page.notices) note(notification, notification.projectedAt);
      if (page.next === null) break;
    }
    sweptUntil = Date.parse(first.now);
    aheadMs = sweptUntil - Date.now();
    sweeps += 1;
    if (sweeps % SWEEPS_PER_READING === 0) readAll();
  }

  function sweep(): Promise<void> {
    sweeping ??= sweepOnce().finally(() => {
      sweeping = undefined;
    });
    return sweeping;
  }

  const listening = deps.listen({
    onMessage(text) {
      try {
        for (const notification of viewNotifications.parse(JSON.parse(text))) note(notification);
      } catch (error) {
        logger.warn({ err: error }, 'a notification is not readable');
      }
    },
    onConnected() {
      readAll();
      sweep().catch(() => {});
    },
  });
  const stopSweeping = repeat(logger, 'asking mypage what is new', SWEEP_MS, sweep);

  return {
    booking(bookingId, watcher) {
      let feed = bookings.get(bookingId);
      if (!feed) {
        feed = bookingFeed(bookingId, askUntil, () => bookings.delete(bookingId));
        bookings.set(bookingId, feed);
      }
      return feed.watch(watcher);
    },
    async customer(customerId, watcher) {
      if (sweptUntil === undefined) await sweep();
      let feed = customers.get(customerId);
      if (!feed) {
        const since = new Date(Date.now() + aheadMs).toISOString();
        feed = customerFeed(since, askUntil, () => customers.delete(customerId));
        customers.set(customerId, feed);
      }
      return feed.watch(watcher);
    },
    ask(question) {
      const deadline = performance.now() + PATIENCE_MS;
      return askUntil(question, () => performance.now() > deadline);
    },
    async close() {
      closed = true;
      await stopSweeping();
      await listening.close();
    },
  };
}
