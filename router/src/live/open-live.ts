import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { mayConnect } from '../http/origins.ts';
import type { HttpSettings } from '../http/settings.ts';
import { bookCalendars } from './book-calendars.ts';
import { liveGraphql } from './live-graphql.ts';
import { mypageViews } from './mypage-views.ts';
import type { LiveSettings } from './settings.ts';

/** The settings of the live part, and of what it shares with other folders. */
export interface LivePartSettings extends LiveSettings, HttpSettings {
  REDIS_URL?: string | undefined;
  QUEUE_DATABASE_URL?: string | undefined;
  BOOK_URL: string;
  MYPAGE_URL: string;
  SUBGRAPH_TIMEOUT_MS: number;
}

type LiveDeps = Parameters<typeof liveGraphql>[0];

/** What the live part shares with the requests of the public server. */
export type SharedWithLive = Omit<
  LiveDeps,
  'settings' | 'maxMessageBytes' | 'views' | 'calendars' | 'mayConnect'
>;

/** Subscriptions of the public server, which are being served. */
export interface LivePart extends ReturnType<typeof liveGraphql> {
  /** Closes the connections to other services, after those of clients. */
  closeSources(): Promise<void>;
}

/** Opens the sources of subscriptions, mypage's views and book's calendars, and serves WebSockets and streams. */
export function openLive(
  deps: SharedWithLive & { settings: LivePartSettings; authorize: SignRequest },
): LivePart {
  const { settings, authorize, metrics, logger, ...shared } = deps;
  const watching = {
    authorize,
    timeoutMs: settings.SUBGRAPH_TIMEOUT_MS,
    notifications: settings,
    metrics,
    logger,
  };
  const views = mypageViews({ url: settings.MYPAGE_URL, ...watching });
  const calendars = bookCalendars({ url: settings.BOOK_URL, ...watching });
  const live = liveGraphql({
    ...shared,
    settings,
    maxMessageBytes: settings.BODY_LIMIT_BYTES,
    views,
    calendars,
    mayConnect: mayConnect(settings.CORS_ORIGINS),
    metrics,
    logger,
  });
  return {
    ...live,
    async closeSources() {
      await views.close();
      await calendars.close();
    },
  };
}
