import { ConfigError } from '../config/settings.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { NotificationConnection } from './notification-connection.ts';
import { connectToPostgres } from './notification-postgres.ts';
import { connectToRedis } from './notification-redis.ts';

/** One of the two is set; Redis takes precedence. */
export interface NotificationSettings {
  REDIS_URL?: string | undefined;
  QUEUE_DATABASE_URL?: string | undefined;
}

export const RESPONSE_TIMEOUT_MS = 3_000;

/** Throws ConfigError when the settings name no server. */
export function requireServer({ REDIS_URL, QUEUE_DATABASE_URL }: NotificationSettings): void {
  if (REDIS_URL || QUEUE_DATABASE_URL) return;
  throw new ConfigError('Set REDIS_URL or QUEUE_DATABASE_URL: notifications need one of them.');
}

/** Rejects when the connection is not open within 3 s. */
export async function connect(
  env: NotificationSettings,
  channel: string,
): Promise<NotificationConnection> {
  const connecting = env.REDIS_URL
    ? connectToRedis(env.REDIS_URL, channel)
    : connectToPostgres(String(env.QUEUE_DATABASE_URL), channel);
  try {
    return await withTimeout(RESPONSE_TIMEOUT_MS, 'connecting', connecting);
  } catch (error) {
    // A connection that opens after the timeout must not stay open.
    connecting.then((late) => late.close()).catch(() => {});
    throw error;
  }
}
