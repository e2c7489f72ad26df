import { Queue, type QueueOptions } from 'bullmq';
import { ConfigError } from '../config/settings.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { type Metrics, showConnection } from '../observability/metrics.ts';
import { throttledWarnings } from '../observability/throttled-warnings.ts';
import { openQueueDatabase } from './queue-postgres.ts';
import { openRedis } from './queue-redis.ts';
import type { QueueServer } from './queue-server.ts';

/** One of the two is set; Redis takes precedence. */
export interface QueueSettings {
  REDIS_URL?: string | undefined;
  QUEUE_DATABASE_URL?: string | undefined;
}

/** BullMQ's queues on one server. */
export interface OpenQueues {
  /** The queue of this name, opened at the first call. Rejects while the server does not respond. */
  open(name: string): Promise<Queue>;
  /** Ends every queue and connection, within 4 s even when the server does not respond. */
  close(): Promise<void>;
}

/** Maximum delay of a metrics scrape by the queue's server. */
const METRICS_TIMEOUT_MS = 1_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Connects to the queue's server: Redis when `REDIS_URL` is given, else PostgreSQL at
 * `QUEUE_DATABASE_URL`. Returns at once and connects in the background, also when the server starts later.
 * Throws ConfigError when neither is set.
 */
export function openQueueServer(
  { REDIS_URL, QUEUE_DATABASE_URL }: QueueSettings,
  logger: Logger,
  metrics?: Metrics,
): QueueServer {
  if (!REDIS_URL && !QUEUE_DATABASE_URL) {
    throw new ConfigError('Set REDIS_URL or QUEUE_DATABASE_URL: the queue needs one of them.');
  }
  const server = REDIS_URL
    ? openRedis(REDIS_URL, logger)
    : openQueueDatabase(QUEUE_DATABASE_URL as string, logger);
  if (metrics) {
    showConnection(metrics, 'queue', async () => {
      const ping = withTimeout(METRICS_TIMEOUT_MS, 'PING', server.ping());
      return ping.then(
        () => true,
        () => false,
      );
    });
  }
  return server;
}

/** The queues of a server, each with BullMQ's `options`. */
export function openQueues(
  server: QueueServer,
  logger: Logger,
  options: Partial<QueueOptions> = {},
): OpenQueues {
  const queues = new Map<string, Queue>();
  return {
    async open(name) {
      // A queue whose first connection fails never works: none is created during an outage.
      if (!queues.has(name)) await server.ping(name);
      const existing = queues.get(name);
      if (existing) return existing;
      const queue = new Queue(
        name,
        { ...server.options(name), ...options },
        server.backend as never,
      );
      queue.on('error', throttledWarnings(logger, 'queue error', { queue: name }));
      queues.set(name, queue);
      queue.waitUntilReady().catch(() => {
        queues.delete(name);
        queue.close().catch(() => {});
      });
      return queue;
    },
    async close() {
      const closing = [...queues.values()].map((queue) => queue.close());
      await withTimeout(CLOSE_TIMEOUT_MS, 'closing the queues', Promise.allSettled(closing)).catch(
        () => {},
      );
      await server.close();
    },
  };
}
