import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { type Subscriber, subscribeToNotifications } from '#platform/messaging/notifications.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { showConnection } from '#platform/observability/metrics.ts';
import type { RouterMetrics } from '../observability/metrics.ts';

/** A service that the router watches at `url`, on the notifications of the queue's server. */
export interface WatchedService {
  url: string;
  authorize: SignRequest;
  timeoutMs: number;
  /** Where the service publishes notifications. */
  notifications: Parameters<typeof subscribeToNotifications>[0];
  metrics: RouterMetrics;
  logger: Logger;
}

/** Subscribes to a channel of the service; `name` is what the gauge of connections calls it. */
export function listenTo(
  { notifications, metrics, logger }: WatchedService,
  channel: string,
  name: string,
) {
  return (subscriber: Subscriber) => {
    const listening = subscribeToNotifications(notifications, channel, subscriber, logger);
    showConnection(metrics.registry, name, listening.isConnected);
    return listening;
  };
}
