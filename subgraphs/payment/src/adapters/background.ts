import { setTimeout as wait } from 'node:timers/promises';
import type { Background } from '../ports.ts';

export interface BackgroundWork extends Background {
  /** Waits until nothing is under way any more, at most `ms`. */
  drain(ms: number): Promise<void>;
}

/**
 * Lets requests wait `answerMs` for their work, which then goes on without them. Nothing depends on
 * its end: what a process leaves unfinished is found again in the database and at the provider.
 */
export function backgroundWork(
  answerMs: number,
  onFailure: (error: unknown) => void,
): BackgroundWork {
  const underWay = new Set<Promise<unknown>>();
  return {
    async within(work) {
      underWay.add(work);
      const timer = new AbortController();
      let answered = false;
      work
        .catch((error) => {
          if (answered) onFailure(error);
        })
        .finally(() => {
          underWay.delete(work);
          timer.abort();
        });
      const late = wait(answerMs, 'undecided' as const, { signal: timer.signal, ref: false });
      try {
        return await Promise.race([work, late.catch(() => work)]);
      } finally {
        answered = true;
      }
    },

    async drain(ms) {
      const late = wait(ms, undefined, { ref: false });
      await Promise.race([late, Promise.allSettled([...underWay])]);
    },
  };
}
