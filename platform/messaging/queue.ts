import type { Queue } from 'bullmq';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { EventRecord } from './events.ts';
import { openQueueServer, openQueues, type QueueSettings } from './open-queues.ts';
import { PING_TIMEOUT_MS } from './queue-server.ts';
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
 * Opens the queue as `openQueueServer` does: returns at once, connects in the background, and throws
 * ConfigError when no server is set.
 */
export function openTransport(env: QueueSettings, logger: Logger, metrics?: Metrics): Transport {
  const server = openQueueServer(env, logger, metrics);
  const queues = openQueues(server, logger);
  const receivers: Receiver[] = [];

  const sendBatches = async (name: string, batches: readonly Message[][]): Promise<void> => {
    const queue = await queues.open(name);
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
      const count = queues.open(name).then((queue) => queue.getWaitingCount());
      return withTimeout(PING_TIMEOUT_MS, 'counting batches', count);
    },
    ping: () => server.ping(),
    async stopReceiving() {
      await Promise.all(receivers.map((receiver) => receiver.stop()));
    },
    close: queues.close,
  };
}

/** A lost response must not delay what is sent next: the outbox redelivers after 5 s. */
const SEND_TIMEOUT_MS = 5_000;
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
