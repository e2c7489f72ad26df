import { setTimeout as pause } from 'node:timers/promises';
import { type BackendFactory, type Job, Worker, type WorkerOptions } from 'bullmq';
import type { Logger } from '../observability/logger.ts';
import type { EventRecord } from './events.ts';
import { type QueueServer, sparingWarnings, within } from './queue-server.ts';

const workerOptions = {
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 3,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
  // How long it waits after a lost connection; stopping has to wait for it too.
  runRetryDelay: 1_000,
  // How long it waits for a job before it looks for itself, in seconds.
  drainDelay: 5,
};

/** An idle worker looks for jobs every 5 s; one that has not for so long has lost its way. */
const DEAF_MS = 12_000;
const WATCH_EVERY_MS = 1_000;
const PAUSE_AFTER_ERROR_MS = 1_000;
const CLOSE_MS = 3_000;

export interface Receiver {
  /** Takes no more jobs, lets running handlers finish and then waits 3 s at most. */
  stop(): Promise<void>;
}

/** One BullMQ worker of the receiver's; it is replaced when it hears nothing any more. */
interface Generation {
  worker: Worker;
  running: number;
  /** When it last took a job, was told that there is none, or had no reason to ask. */
  heardAt: number;
  /** BullMQ remembers for ever that a worker's first contact failed: every later one fails too. */
  stillborn: boolean;
}

/**
 * Runs `handle` for the jobs of a queue, `concurrency` of them at a time, through every outage of
 * the server: BullMQ's worker reconnects by itself, and where it does not, another takes its place.
 */
export function startReceiver(
  server: QueueServer,
  queue: string,
  concurrency: number,
  handle: (job: Job<EventRecord[]>) => Promise<void>,
  logger: Logger,
): Receiver {
  const warn = sparingWarnings(logger, 'worker error', { queue });
  const running = new Set<Promise<void>>();
  let current: Generation | undefined;
  let stopping = false;
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    await (current ? replaceDeaf(current) : openFirst()).catch(warn);
    looking = false;
  };
  const watch = setInterval(look, WATCH_EVERY_MS);
  void look();

  /** Not before the server is there: a worker whose first contact fails never works. */
  async function openFirst(): Promise<void> {
    await server.ping();
    if (!stopping) current = open();
  }

  function open(): Generation {
    const generation = { running: 0, heardAt: Date.now(), stillborn: false } as Generation;
    const take = async (job: Job<EventRecord[]>) => {
      generation.running += 1;
      generation.heardAt = Date.now();
      const handling = handle(job);
      running.add(handling);
      try {
        await handling;
      } finally {
        running.delete(handling);
        generation.running -= 1;
      }
    };
    const backend = observed(server, () => {
      generation.heardAt = Date.now();
    });
    const options = { ...server.options, ...workerOptions, concurrency } as WorkerOptions;
    generation.worker = new Worker(queue, take, options, backend as never);
    generation.worker.on('error', warn);
    generation.worker.waitUntilReady().catch(() => {
      generation.stillborn = true;
    });
    return generation;
  }

  async function replaceDeaf(deaf: Generation): Promise<void> {
    const busy = deaf.running >= concurrency;
    if (busy) deaf.heardAt = Date.now();
    if (!deaf.stillborn && Date.now() - deaf.heardAt < DEAF_MS) return;
    try {
      await server.ping();
    } catch {
      // Nobody hears anything now. When the server is back, the worker has its time again.
      deaf.heardAt = Date.now();
      return;
    }
    if (stopping) return;
    logger.warn({ queue }, 'a worker hears nothing and is replaced');
    current = open();
    // Its handlers finish; a job whose end it cannot report is taken again, and is done already.
    leave(deaf.worker).catch(warn);
  }

  return {
    async stop() {
      stopping = true;
      clearInterval(watch);
      const last = current?.worker;
      last?.close().catch(warn);
      while (running.size > 0) await Promise.allSettled(running);
      if (last) await leave(last).catch(warn);
    },
  };
}

/** Closes a worker; during an outage BullMQ would wait for the server, to say good-bye. */
async function leave(worker: Worker): Promise<void> {
  try {
    await within(CLOSE_MS, 'closing a worker', worker.close());
  } catch (error) {
    // It may still wait for ever, and must not go on renewing the locks of what it cannot finish.
    const { lockManager } = worker as unknown as { lockManager: { close(): Promise<void> } };
    await lockManager.close();
    throw error;
  }
}

/** The server's backend for a worker, which does not run hot on errors and tells when it hears. */
function observed(server: QueueServer, heard: () => void): BackendFactory {
  return (...args) => {
    const backend = server.backend(...args);
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = async (token, name) => {
      try {
        const answer = await moveToActive(token, name);
        heard();
        return answer;
      } catch (error) {
        // Redis that is full or loading its data refuses; it still hears us.
        if (server.isAnswer(error)) heard();
        // BullMQ asks again at once.
        await pause(PAUSE_AFTER_ERROR_MS);
        throw error;
      }
    };
    // On PostgreSQL it is an hour: notifications are a hint, looking is the guarantee.
    Object.defineProperty(backend, 'maximumBlockTimeout', { value: workerOptions.drainDelay });
    return backend;
  };
}
