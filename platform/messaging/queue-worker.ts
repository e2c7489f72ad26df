import { setTimeout as pause } from 'node:timers/promises';
import { type BackendFactory, type Job, Worker, type WorkerOptions } from 'bullmq';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { throttledWarnings } from '../observability/throttled-warnings.ts';
import type { EventRecord } from './events.ts';
import type { QueueServer } from './queue-server.ts';

const workerOptions = {
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 3,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
  // Pause in ms after a lost connection; stopping waits for it too.
  runRetryDelay: 1_000,
  // Seconds of waiting for a notification of a job before the worker polls.
  drainDelay: 5,
};

/** An idle worker polls every 5 s; one that has not polled for this long is stuck. */
const STUCK_AFTER_MS = 12_000;
const WATCH_EVERY_MS = 1_000;
const PAUSE_AFTER_ERROR_MS = 1_000;
const CLOSE_TIMEOUT_MS = 3_000;

export interface Receiver {
  /** Receives no more jobs, lets running handlers finish and then waits 3 s at most. */
  stop(): Promise<void>;
}

type HandleJob = (job: Job<EventRecord[]>) => Promise<void>;

/** One BullMQ worker of the receiver; it is replaced when it is stuck. */
interface Generation {
  worker: Worker;
  running: number;
  /** When it last received a job or an empty response, or was too busy to poll. */
  polledAt: number;
  /** BullMQ keeps the failure of a worker's first connection: every later call fails too. */
  isBroken: boolean;
}

/**
 * Runs `handle` for the jobs of a queue, `concurrency` of them at a time, through every outage of
 * the server: BullMQ's worker reconnects by itself, and where it does not, another replaces it.
 */
export function startReceiver(
  server: QueueServer,
  queue: string,
  concurrency: number,
  handle: HandleJob,
  logger: Logger,
): Receiver {
  const warn = throttledWarnings(logger, 'worker error', { queue });
  const running = new Set<Promise<void>>();
  let current: Generation | undefined;
  let stopping = false;
  let checking = false;
  const check = async () => {
    if (checking) return;
    checking = true;
    await (current ? replaceIfStuck(current) : openFirst()).catch(warn);
    checking = false;
  };
  const watch = setInterval(check, WATCH_EVERY_MS);
  void check();

  async function track(job: Job<EventRecord[]>): Promise<void> {
    const handling = handle(job);
    running.add(handling);
    try {
      await handling;
    } finally {
      running.delete(handling);
    }
  }

  function open(): Generation {
    return openGeneration(server, queue, concurrency, track, warn);
  }

  /** Waits for the server: a worker whose first connection fails never works. */
  async function openFirst(): Promise<void> {
    await server.ping(queue);
    if (!stopping) current = open();
  }

  async function replaceIfStuck(generation: Generation): Promise<void> {
    const isBusy = generation.running >= concurrency;
    if (isBusy) generation.polledAt = Date.now();
    if (!generation.isBroken && Date.now() - generation.polledAt < STUCK_AFTER_MS) return;
    try {
      await server.ping(queue);
    } catch {
      // No worker can poll now. After the outage this one has the whole time again.
      generation.polledAt = Date.now();
      return;
    }
    if (stopping) return;
    logger.warn({ queue }, 'a worker is stuck and is replaced');
    current = open();
    // Its handlers finish. A job whose end it cannot report is redelivered, and is a duplicate then.
    closeWorker(generation.worker).catch(warn);
  }

  return {
    async stop() {
      stopping = true;
      clearInterval(watch);
      const last = current?.worker;
      last?.close().catch(warn);
      while (running.size > 0) await Promise.allSettled(running);
      if (last) await closeWorker(last).catch(warn);
    },
  };
}

function openGeneration(
  server: QueueServer,
  queue: string,
  concurrency: number,
  handle: HandleJob,
  warn: (error: unknown) => void,
): Generation {
  const generation = { running: 0, polledAt: Date.now(), isBroken: false } as Generation;
  const process = async (job: Job<EventRecord[]>) => {
    generation.running += 1;
    generation.polledAt = Date.now();
    try {
      await handle(job);
    } finally {
      generation.running -= 1;
    }
  };
  const backend = observedBackend(server, () => {
    generation.polledAt = Date.now();
  });
  const options = { ...server.options(queue), ...workerOptions, concurrency } as WorkerOptions;
  generation.worker = new Worker(queue, process, options, backend as never);
  generation.worker.on('error', warn);
  generation.worker.waitUntilReady().catch(() => {
    generation.isBroken = true;
  });
  return generation;
}

/** Closes a worker; during an outage BullMQ would wait for the server to confirm it. */
async function closeWorker(worker: Worker): Promise<void> {
  try {
    await withTimeout(CLOSE_TIMEOUT_MS, 'closing a worker', worker.close());
  } catch (error) {
    // The worker may stay open, and must not go on renewing the locks of jobs that it cannot finish.
    const { lockManager } = worker as unknown as { lockManager: { close(): Promise<void> } };
    await lockManager.close();
    throw error;
  }
}

/** The server's backend for a worker: pauses after errors, and calls `onPolled` for each response. */
function observedBackend(server: QueueServer, onPolled: () => void): BackendFactory {
  return (...args) => {
    const backend = server.backend(...args);
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = async (token, name) => {
      try {
        const result = await moveToActive(token, name);
        onPolled();
        return result;
      } catch (error) {
        // Redis refuses while it is full or loads its data; the connection to it works.
        if (server.isResponse(error)) onPolled();
        // BullMQ polls again at once.
        await pause(PAUSE_AFTER_ERROR_MS);
        throw error;
      }
    };
    // On PostgreSQL it is an hour: notifications are a hint, and polling is the guarantee.
    Object.defineProperty(backend, 'maximumBlockTimeout', { value: workerOptions.drainDelay });
    return backend;
  };
}
