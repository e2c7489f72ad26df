import { createClient } from 'redis';
import type { Logger } from '#platform/observability/logger.ts';
import { throttledWarnings } from '#platform/observability/throttled-warnings.ts';

/** After a failure of Redis, only this process counts for this long. */
const RETRY_PAUSE_MS = 1_000;

export type CountingRedis = ReturnType<typeof countingRedis>;

/** A connection for counting that never queues commands: a request must not wait for a reconnection. */
export function countingRedis(url: string, logger: Logger) {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 3_000,
      reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000),
    },
  });
  const warn = throttledWarnings(logger, 'Redis is down: each router counts requests by itself');
  client.on('error', warn);
  client.connect().catch(() => {});
  let pausedUntil = 0;
  return {
    client,
    isAvailable: () => client.isReady && performance.now() >= pausedUntil,
    onFailure(error: unknown) {
      warn(error);
      pausedUntil = performance.now() + RETRY_PAUSE_MS;
    },
  };
}
