import type { ViewNotification } from '#contracts/mypage.ts';
import type { ViewSource } from './view-source.ts';

export interface NotificationPoller {
  /** Reads the notifications since the last poll; concurrent calls share one. */
  poll(): Promise<void>;
  readonly hasPolled: boolean;
  /** The present instant by mypage's clock, as measured by the last poll. */
  sourceTime(): string;
}

/** A transaction commits with an instant from its start: longer than the longest transaction. */
const POLL_OVERLAP_MS = 30_000;
/** Polls between two reads of every watched booking, which find what no notification announced. */
const POLLS_PER_FULL_READ = 12;

/** Reads notifications again from mypage, because a pushed notification can be lost. */
export function notificationPoller(deps: {
  source: ViewSource;
  isWatched: () => boolean;
  notify: (notification: ViewNotification, projectedAt: string) => void;
  readAll: () => void;
}): NotificationPoller {
  const { source, isWatched, notify, readAll } = deps;
  /** The instant of the last poll, by mypage's clock. */
  let polledUntil: number | undefined;
  /** How far mypage's clock is ahead of this one. */
  let clockOffsetMs = 0;
  let polls = 0;
  let polling: Promise<void> | undefined;

  async function pollOnce(): Promise<void> {
    const overlap = isWatched() ? POLL_OVERLAP_MS : 0;
    const since = new Date((polledUntil ?? Date.now()) - overlap).toISOString();
    const first = await source.notifications(since, null);
    for (let page = first; ; page = await source.notifications(since, page.next)) {
      for (const notification of page.notifications) notify(notification, notification.projectedAt);
      if (page.next === null) break;
    }
    polledUntil = Date.parse(first.now);
    clockOffsetMs = polledUntil - Date.now();
    polls += 1;
    if (polls % POLLS_PER_FULL_READ === 0) readAll();
  }

  return {
    get hasPolled() {
      return polledUntil !== undefined;
    },
    poll() {
      polling ??= pollOnce().finally(() => {
        polling = undefined;
      });
      return polling;
    },
    sourceTime: () => new Date(Date.now() + clockOffsetMs).toISOString(),
  };
}
