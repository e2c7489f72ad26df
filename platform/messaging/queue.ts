import { Queue } from 'bullmq';
import { ConfigError } from '../config/settings.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { type Metrics, showConnection } from '../observability/metrics.ts';
import type { EventRecord } from './events.ts';
import { openQueueDatabase } from './queue-postgres.ts';
import { openRedis } from './queue-redis.ts';
import { PING_TIMEOUT_MS, throttledWarnings } from './queue-server.ts';
import { type Receiver, startReceiver } from './queue-worker.ts';

/** One copy of an event for one consumer. */
export interface Message {
  queue: string;
  event: EventRecord;
  /** How often the event has been sent, this time included. */
  attempt: number;
}

/** BullMQ on Redis or on PostgreSQL; nothing above it knows which. */
export interface Transport {
  /**
   * Hands messages over; resolves or rejects within 5 s. Neither proves delivery or loss: only an
   * acknowledgement proves that an event has arrived.
   */
  send(messages: readonly Message[]): Promise<void>;
  /**
   * Calls `handle` for each batch of a queue, `concurrency` of them at a time. Batches fill up under
   * load; one that is rejected is redelivered. Resumes by itself after an outage of the server.
   */
  receive(
    queue: string,
    concurrency: number,
    handle: (batch: readonly EventRecord[]) => Promise<void>,
  ): Promise<void>;
  /** How many batches wait in a queue; rejects when the server does not respond within 3 s. */
  countWaiting(queue: string): Promise<number>;
  /** Rejects when the queue's server does not respond within 3 s. */
  ping(): Promise<void>;
  /** Receives no more jobs and lets running handlers finish; waits 3 s for the server at most. */
  stopReceiving(): Promise<void>;
  /** Ends every connection, within 4 s even when the server does not respond. */
  close(): Promise<void>;
}

// The outbox redelivers a lost job: BullMQ's own retries are only faster.
const jobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 200 },
  removeOnComplete: true,
  removeOnFail: true,
};

/**
 * Connects to the queue's server: Redis when `REDIS_URL` is given, else PostgreSQL at
 * `QUEUE_DATABASE_URL`. Returns at once and connects in the background, also when the server starts later.
 * Throws ConfigError when neither is set.
 */
export function openTransport(
  env: { REDIS_URL?: string | undefined; QUEUE_DATABASE_URL?: string | undefined },
  logger: Logger,
  metrics?: Metrics,
): Transport {
  if (!env.REDIS_URL && !env.QUEUE_DATABASE_URL) {
    throw new ConfigError('Set REDIS_URL or QUEUE_DATABASE_URL: the queue needs one of them.');
  }
  const server = env.REDIS_URL
    ? openRedis(env.REDIS_URL, logger)
    : openQueueDatabase(env.QUEUE_DATABASE_URL as string, logger);
  if (metrics) {
    showConnection(metrics, 'queue', async () => {
      const ping = withTimeout(METRICS_TIMEOUT_MS, 'PING', server.ping());
      return ping.then(
        () => true,
        () => false,
      );
    });
  }
  const queues = new Map<string, Queue>();
  const receivers: Receiver[] = [];

  const openQueue = async (name: string): Promise<Queue> => {
    // A queue whose first connection fails never works: none is created during an outage.
    if (!queues.has(name)) await server.ping();
    const existing = queues.get(name);
    if (existing) return existing;
    const queue = new Queue(name, server.options, server.backend as never);
    queue.on('error', throttledWarnings(logger, 'queue error', { queue: name }));
    queues.set(name, queue);
    queue.waitUntilReady().catch(() => {
      queues.delete(name);
      queue.close().catch(() => {});
    });
    return queue;
  };

  const sendBatches = async (name: string, batches: readonly Message[][]): Promise<void> => {
    const queue = await openQueue(name);
    // Not addBulk: on PostgreSQL each call creates two temporary tables, at 50 times the cost of an add.
    await Promise.all(batches.map((batch) => addJob(queue, batch)));
  };

  return {
    async send(messages) {
      const sends = [...batchesByQueue(messages)].map(([name, batches]) =>
        sendBatches(name, batches),
      );
      await withTimeout(SEND_TIMEOUT_MS, 'handing events to the queue', Promise.all(sends));
    },
    async receive(name, concurrency, handle) {
      receivers.push(startReceiver(server, name, concurrency, ({ data }) => handle(data), logger));
    },
    async countWaiting(name) {
      const count = openQueue(name).then((queue) => queue.getWaitingCount());
      return withTimeout(PING_TIMEOUT_MS, 'counting batches', count);
    },
    ping: server.ping,
    async stopReceiving() {
      await Promise.all(receivers.map((receiver) => receiver.stop()));
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

/** A lost response must not delay what is sent next: the outbox redelivers after 5 s. */
const SEND_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** Maximum delay of a metrics scrape by the queue's server. */
const METRICS_TIMEOUT_MS = 1_000;
const BATCH_SIZE = 25;

function batchesByQueue(messages: readonly Message[]): Map<string, Message[][]> {
  const byQueue = new Map<string, Message[][]>();
  for (const message of messages) {
    const batches = byQueue.get(message.queue) ?? [];
    byQueue.set(message.queue, batches);
    const last = batches.at(-1);
    if (last && last.length < BATCH_SIZE) last.push(message);
    else batches.push([message]);
  }
  return byQueue;
}

function addJob(queue: Queue, batch: readonly Message[]): Promise<unknown> {
  const [first] = batch as [Message];
  const events = batch.map(({ event }) => event);
  // BullMQ silently ignores an id that it still stores: each attempt has its own.
  const jobId = `${first.event.id}-${first.attempt}`;
  return queue.add(first.event.topic, events, { ...jobOptions, jobId });
}
