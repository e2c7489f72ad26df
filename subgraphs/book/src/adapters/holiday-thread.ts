import { Worker } from 'node:worker_threads';
import { serviceUnavailable } from '#platform/graphql/errors.ts';
import type { Holiday } from '../domain/public-holidays.ts';
import type { HolidayAnswer, HolidayJob } from './holiday-worker.ts';

/** Jobs that wait behind the one being computed: the last waits for seconds. */
const MAX_WAITING = 20;
/** A job takes half a second; a thread that answers none for so long is stuck. */
const STUCK_MS = 30_000;

interface Pending {
  resolve: (holidays: Holiday[]) => void;
  reject: (error: Error) => void;
}

export interface HolidayThread {
  /** Rejects as unavailable when too many wait, and when the thread ends before it has answered. */
  compute(country: string, year: number): Promise<Holiday[]>;
  close(): Promise<void>;
}

/**
 * Computes holidays in a thread of its own, for the library would block all other requests. The thread
 * starts with the first job, after a crash with the next one, and never keeps the process alive.
 */
export function holidayThread(
  program = new URL('./holiday-worker.js', import.meta.url),
  stuckMs = STUCK_MS,
): HolidayThread {
  let current: ReturnType<typeof startThread> | undefined;
  return {
    compute(country, year) {
      if (!current || current.isOver()) current = startThread(program, stuckMs);
      return current.compute(country, year);
    },
    async close() {
      await current?.close();
    },
  };
}

function startThread(program: URL, stuckMs: number) {
  const worker = new Worker(program);
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let over = false;
  const watch = setTimeout(() => {
    if (pending.size === 0) return;
    void end(new Error(`the thread of holidays has not answered for ${stuckMs} ms`));
  }, stuckMs).unref();

  function end(error: Error): Promise<number> {
    over = true;
    clearTimeout(watch);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    return worker.terminate();
  }

  worker.on('message', ({ id, holidays, error }: HolidayAnswer) => {
    const job = pending.get(id);
    pending.delete(id);
    watch.refresh();
    if (holidays) job?.resolve(holidays);
    else job?.reject(new Error(`the holidays cannot be computed: ${error}`));
  });
  worker.on('error', (cause) => end(new Error('the thread of holidays failed', { cause })));
  worker.on('exit', (code) => end(new Error(`the thread of holidays ended with code ${code}`)));
  // After the handlers: a listener for messages holds the process again.
  worker.unref();

  return {
    isOver: () => over,
    compute(country: string, year: number): Promise<Holiday[]> {
      if (pending.size > MAX_WAITING) {
        return Promise.reject(
          serviceUnavailable('Too many holidays are being computed: try again in some seconds.'),
        );
      }
      if (pending.size === 0) watch.refresh();
      lastId += 1;
      const job: HolidayJob = { id: lastId, country, year };
      return new Promise((resolve, reject) => {
        pending.set(job.id, { resolve, reject });
        worker.postMessage(job);
      });
    },
    close: () => end(new Error('the thread of holidays is closed')),
  };
}
