import type { Logger } from '#platform/observability/logger.ts';
import { throttledWarnings } from '#platform/observability/throttled-warnings.ts';
import { redisNodes } from '#platform/redis/redis-nodes.ts';
import { openSlotClient } from '#platform/redis/slot-client.ts';

/** After a failure of Redis, only this process counts for this long. */
const RETRY_PAUSE_MS = 1_000;

/** One hash tag for all counters: one node of a Redis Cluster counts many times what routers can serve. */
export const COUNTERS_PREFIX = 'spacerent:{counters}';

export type CountingRedis = ReturnType<typeof countingRedis>;

/** A connection for counting that never queues commands: a request must not wait for a reconnection. */
export function countingRedis(setting: string, logger: Logger) {
  const nodes = redisNodes(setting, logger);
  const slot = openSlotClient({ nodes, key: `${COUNTERS_PREFIX}:owner`, logger });
  const warn = throttledWarnings(logger, 'Redis is down: each router counts requests by itself');
  const { client } = slot;
  client.on('error', warn);
  let pausedUntil = 0;
  return {
    client,
    isAvailable: () => client.isReady && performance.now() >= pausedUntil,
    onFailure(error: unknown) {
      warn(error);
      pausedUntil = performance.now() + RETRY_PAUSE_MS;
    },
    close() {
      slot.close();
      nodes.close();
    },
  };
}
