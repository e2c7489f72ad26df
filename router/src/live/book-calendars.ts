import { CALENDAR_NOTIFICATIONS_CHANNEL } from '#contracts/calendars.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { subscribeToNotifications } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { showConnection } from '#platform/observability/metrics.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { calendarSource } from './calendar-source.ts';
import { type WatchedCalendars, watchedCalendars } from './watched-calendars.ts';

/** Watches calendars of book at `url`, on the notifications of the queue's server. */
export function bookCalendars(deps: {
  url: string;
  authorize: SignRequest;
  timeoutMs: number;
  /** Where book publishes notifications. */
  notifications: Parameters<typeof subscribeToNotifications>[0];
  metrics: RouterMetrics;
  logger: Logger;
}): WatchedCalendars {
  const { url, authorize, timeoutMs, notifications, metrics, logger } = deps;
  const source = calendarSource(url, authorize, timeoutMs);
  const calendars = watchedCalendars({
    source,
    listen(subscriber) {
      const listening = subscribeToNotifications(
        notifications,
        CALENDAR_NOTIFICATIONS_CHANNEL,
        subscriber,
        logger,
      );
      showConnection(metrics.registry, 'calendar notifications', listening.isConnected);
      return listening;
    },
    logger,
  });
  return {
    ...calendars,
    async close() {
      await calendars.close();
      await source.close();
    },
  };
}
