import { VIEW_NOTIFICATIONS_CHANNEL } from '#contracts/mypage.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { subscribeToNotifications } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { showConnection } from '#platform/observability/metrics.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { viewSource } from './view-source.ts';
import { type WatchedViews, watchedViews } from './watched-views.ts';

/** Watches views of mypage at `url`, on the notifications of the queue's server. */
export function mypageViews(deps: {
  url: string;
  authorize: SignRequest;
  timeoutMs: number;
  /** Where mypage publishes notifications. */
  notifications: Parameters<typeof subscribeToNotifications>[0];
  metrics: RouterMetrics;
  logger: Logger;
}): WatchedViews {
  const { url, authorize, timeoutMs, notifications, metrics, logger } = deps;
  const source = viewSource(url, authorize, timeoutMs);
  const views = watchedViews({
    source,
    listen(subscriber) {
      const listening = subscribeToNotifications(
        notifications,
        VIEW_NOTIFICATIONS_CHANNEL,
        subscriber,
        logger,
      );
      showConnection(metrics.registry, 'notifications', listening.isConnected);
      return listening;
    },
    logger,
  });
  return {
    ...views,
    async close() {
      await views.close();
      await source.close();
    },
  };
}
