import { ConfigError } from '../config/settings.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import type { NotificationServer } from './notification-connection.ts';
import { connectToPostgres } from './notification-postgres.ts';
import { notificationRedis } from './notification-redis.ts';

/** One of the two is set; Redis takes precedence. */
export interface NotificationSettings {
  REDIS_URL?: string | undefined;
  QUEUE_DATABASE_URL?: string | undefined;
}

export const RESPONSE_TIMEOUT_MS = 3_000;

/** A connection to it rejects when it is not open within 3 s. Throws ConfigError when the settings name no server. */
export function notificationServer(env: NotificationSettings, logger: Logger): NotificationServer {
  const server = findServer(env, logger);
  return {
    async connect(channel) {
      const connecting = server.connect(channel);
      try {
        return await withTimeout(RESPONSE_TIMEOUT_MS, 'connecting', connecting);
      } catch (error) {
        // A connection that opens after the timeout must not stay open.
        connecting.then((late) => late.close()).catch(() => {});
        throw error;
      }
    },
  };
}

function findServer(
  { REDIS_URL, QUEUE_DATABASE_URL }: NotificationSettings,
  logger: Logger,
): NotificationServer {
  if (REDIS_URL) return notificationRedis(REDIS_URL, logger);
  if (QUEUE_DATABASE_URL) {
    return { connect: (channel) => connectToPostgres(QUEUE_DATABASE_URL, channel) };
  }
  throw new ConfigError('Set REDIS_URL or QUEUE_DATABASE_URL: notifications need one of them.');
}
