import { setTimeout as wait } from 'node:timers/promises';
import type { Background } from '../ports.ts';

export interface BackgroundWork extends Background {
  /** Waits until all work has ended, at most `ms`. */
  drain(ms: number): Promise<void>;
}

/**
 * Lets requests wait `timeoutMs` for their work, which then continues in the background. Nothing is lost
 * with the process: unfinished work is found again in the database and at the provider.
 */
export function backgroundWork(
  timeoutMs: number,
  onFailure: (error: unknown) => void,
): BackgroundWork {
  const running = new Set<Promise<unknown>>();
  return {
    async within(work) {
      running.add(work);
      const timer = new AbortController();
      let hasResponded = false;
      work
        .catch((error) => {
          if (hasResponded) onFailure(error);
        })
        .finally(() => {
          running.delete(work);
          timer.abort();
        });
      const timeout = wait(timeoutMs, 'undecided' as const, { signal: timer.signal, ref: false });
      try {
        return await Promise.race([work, timeout.catch(() => work)]);
      } finally {
        hasResponded = true;
      }
    },

    async drain(ms) {
      const timeout = wait(ms, undefined, { ref: false });
      await Promise.race([timeout, Promise.allSettled([...running])]);
    },
  };
}
