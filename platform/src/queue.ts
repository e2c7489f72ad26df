import {
  createPostgresBackend,
  type Job,
  Queue,
  type QueueOptions,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import pg from 'pg';
import { createClient } from 'redis';
import { ConfigError } from './config.ts';
import type { EventRecord } from './events.ts';
import type { Logger } from './logger.ts';

/** One copy of an event on its way to one consumer. */
export interface Message {
  queue: string;
  event: EventRecord;
  /** How often the event has been sent, this time included. */
  attempt: number;
}

/** BullMQ on Redis or on PostgreSQL; nothing above it knows which. */
export interface Transport {
  /** Hands messages over. A resolved promise is no proof of delivery: acknowledgements are. */
  send(messages: readonly Message[]): Promise<void>;
  /**
   * Runs `open` for each parcel of a queue, `concurrency` of them at a time. Parcels fill up under
   * load; one that is rejected comes again.
   */
  receive(
    queue: string,
    concurrency: number,
    open: (parcel: readonly EventRecord[]) => Promise<void>,
  ): Promise<void>;
  /** How many parcels wait in a queue; rejects when the queue's server does not answer. */
  waiting(queue: string): Promise<number>;
  /** Rejects when the queue's server does not answer. */
  ping(): Promise<void>;
  /** Takes no more jobs and lets running handlers finish. */
  stopReceiving(): Promise<void>;
  close(): Promise<void>;
}

interface Backend {
  openQueue(name: string): Queue;
  openWorker(
    name: string,
    open: (job: Job<EventRecord[]>) => Promise<void>,
    concurrency: number,
  ): Worker;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Where BullMQ keeps its tables on PostgreSQL. */
const BULLMQ_SCHEMA = 'bullmq';

// A lost job is sent again from the outbox: BullMQ's own retries only make that prompt.
const jobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 200 },
  removeOnComplete: true,
  removeOnFail: true,
};

const workerOptions = {
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 3,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
};

/**
 * Connects to the queue's server: Redis when `REDIS_URL` is given, else PostgreSQL at
 * `QUEUE_DATABASE_URL`. Throws ConfigError when neither is set.
 */
export async function openTransport(
  env: { REDIS_URL?: string | undefined; QUEUE_DATABASE_URL?: string | undefined },
  logger: Logger,
): Promise<Transport> {
  if (!env.REDIS_URL && !env.QUEUE_DATABASE_URL) {
    throw new ConfigError('Set REDIS_URL or QUEUE_DATABASE_URL: the queue needs one of them.');
  }
  const backend = env.REDIS_URL
    ? await openRedis(env.REDIS_URL, logger)
    : await openQueueDatabase(env.QUEUE_DATABASE_URL as string, logger);
  const queues = new Map<string, Queue>();
  const workers: Worker[] = [];

  const openQueue = (name: string): Queue => {
    const known = queues.get(name);
    if (known) return known;
    const queue = backend.openQueue(name);
    queue.on('error', (error) => logger.warn({ err: error, queue: name }, 'queue error'));
    queues.set(name, queue);
    return queue;
  };

  return {
    async send(messages) {
      // Not addBulk: on PostgreSQL it makes two temporary tables a call, fifty times an add's cost.
      const sent = [...parcelsByQueue(messages)].flatMap(([name, parcels]) =>
        parcels.map((parcel) => addJob(openQueue(name), parcel)),
      );
      await Promise.all(sent);
    },
    async receive(name, concurrency, open) {
      const worker = backend.openWorker(name, ({ data }) => open(data), concurrency);
      worker.on('error', (error) => logger.warn({ err: error, queue: name }, 'worker error'));
      workers.push(worker);
    },
    waiting: (name) => openQueue(name).getWaitingCount(),
    ping: backend.ping,
    async stopReceiving() {
      await Promise.all(workers.map((worker) => worker.close()));
    },
    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

const PARCEL_SIZE = 25;

function parcelsByQueue(messages: readonly Message[]): Map<string, Message[][]> {
  const byQueue = new Map<string, Message[][]>();
  for (const message of messages) {
    const parcels = byQueue.get(message.queue) ?? [];
    byQueue.set(message.queue, parcels);
    const last = parcels.at(-1);
    if (last && last.length < PARCEL_SIZE) last.push(message);
    else parcels.push([message]);
  }
  return byQueue;
}

function addJob(queue: Queue, parcel: readonly Message[]): Promise<unknown> {
  const [first] = parcel as [Message];
  const events = parcel.map(({ event }) => event);
  // BullMQ silently ignores an id that it still knows: each attempt has its own.
  const jobId = `${first.event.id}-${first.attempt}`;
  return queue.add(first.event.topic, events, { ...jobOptions, jobId });
}

async function openRedis(url: string, logger: Logger): Promise<Backend> {
  const client = createClient({
    url,
    pingInterval: 10_000,
    // Sending fails at once while Redis is away; the outbox sends again.
    disableOfflineQueue: true,
    socket: { reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000) },
  });
  client.on('error', (error) => logger.warn({ err: error }, 'Redis is not reachable'));
  await client.connect();
  // The hash tag keeps a queue's keys on one node of a Redis Cluster.
  const options: QueueOptions = { connection: client as never, prefix: '{spacerent}' };
  return {
    openQueue: (name) => new Queue(name, options),
    openWorker: (name, open, concurrency) =>
      new Worker(name, open, { ...options, ...workerOptions, concurrency } as WorkerOptions),
    ping: async () => void (await client.ping()),
    close: async () => client.destroy(),
  };
}

async function openQueueDatabase(connectionString: string, logger: Logger): Promise<Backend> {
  const migration = new Queue(
    'migration',
    { connection: { connectionString, migrate: true } } as never,
    createPostgresBackend as never,
  );
  await migration.waitUntilReady();
  await migration.close();
  // Each worker keeps one connection of the pool for LISTEN.
  const pool = new pg.Pool({
    connectionString,
    max: 16,
    keepAlive: true,
    // The queue is disposable. Its commits notify workers under a lock that all of them share, and
    // waiting for the disk under that lock would make every event of the system wait in turn.
    options: `-c search_path=${BULLMQ_SCHEMA} -c synchronous_commit=off`,
  });
  // Every queue and worker adds a listener of its own.
  pool.setMaxListeners(0);
  pool.on('error', (error) => logger.warn({ err: error }, 'a queue connection was lost'));
  const options = { connection: pool } as never as QueueOptions;
  const backend = createPostgresBackend as never;
  return {
    openQueue: (name) => new Queue(name, options, backend),
    openWorker: (name, open, concurrency) =>
      new Worker(
        name,
        open,
        { ...options, ...workerOptions, concurrency } as WorkerOptions,
        backend,
      ),
    ping: async () => void (await pool.query('SELECT 1')),
    close: () => pool.end(),
  };
}
