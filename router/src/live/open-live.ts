import type { SignRequest } from '#platform/auth/internal-requests.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { mayConnect } from '../http/origins.ts';
import type { HttpSettings } from '../http/settings.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
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

/** Subscriptions of the public server. */
export interface LivePart {
  /** Starts to serve WebSockets, and streams for the public server. */
  serve(shared: SharedWithLive): ReturnType<typeof liveGraphql>;
  /** Closes the connections to other services, after those of clients. */
  close(): Promise<void>;
}

/** Opens the sources of subscriptions: mypage's views and book's calendars. */
export function openLive(deps: {
  settings: LivePartSettings;
  authorize: SignRequest;
  metrics: RouterMetrics;
  logger: Logger;
}): LivePart {
  const { settings, authorize, metrics, logger } = deps;
  const watching = {
    authorize,
    timeoutMs: settings.SUBGRAPH_TIMEOUT_MS,
    notifications: settings,
    metrics,
    logger,
  };
  const views = mypageViews({ url: settings.MYPAGE_URL, ...watching });
  const calendars = bookCalendars({ url: settings.BOOK_URL, ...watching });
  return {
    serve: (shared) =>
      liveGraphql({
        ...shared,
        settings,
        maxMessageBytes: settings.BODY_LIMIT_BYTES,
        views,
        calendars,
        mayConnect: mayConnect(settings.CORS_ORIGINS),
      }),
    async close() {
      await views.close();
      await calendars.close();
    },
  };
}
