import { createClient } from 'redis';
import { sparingWarnings } from '#platform/messaging/queue-server.ts';
import type { Logger } from '#platform/observability/logger.ts';

/** No count is requested for so long after Redis has failed to give one. */
const PAUSE_MS = 1_000;

export type CountingRedis = ReturnType<typeof countingRedis>;

/** A connection that never keeps a request waiting: neither for itself at the start, nor for replies. */
export function countingRedis(url: string, logger: Logger) {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 3_000,
      reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000),
    },
  });
  const warn = sparingWarnings(logger, 'Redis does not count requests: each router does');
  client.on('error', warn);
  client.connect().catch(() => {});
  let pausedUntil = 0;
  return {
    client,
    isThere: () => client.isReady && performance.now() >= pausedUntil,
    failed(error: unknown) {
      warn(error);
      pausedUntil = performance.now() + PAUSE_MS;
    },
  };
}
