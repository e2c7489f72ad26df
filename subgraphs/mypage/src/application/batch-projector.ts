import type { BookingStatusView } from '../booking-status-view.ts';
import type { ViewStore } from '../ports.ts';
import type { ConsumedEvent } from '../space-view.ts';

const MAX_BATCH_SIZE = 200;
const BATCH_INTERVAL_MS = 50;

/**
 * Projects events in batches. The first event is written at once; those of the next 50 ms share a
 * transaction, which saves commits under load and delays nothing otherwise. The promise of an event
 * resolves or rejects with its transaction.
 *
 * A batch that fails is divided in halves, down to single events: a poisoned event fails alone, and a large
 * batch whose views other writers keep changing becomes small ones without conflicts. On a transient failure
 * all events fail at once, or each would wait for a timeout. `notify` is called with the new versions of
 * views once they are committed.
 */
export function batchProjector(
  views: Pick<ViewStore, 'project'>,
  notify: (versions: readonly BookingStatusView[]) => void,
  isTransient: (error: unknown) => boolean,
) {
  let waiting: { event: ConsumedEvent; promise: PromiseWithResolvers }[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH_SIZE);
      waiting = waiting.slice(MAX_BATCH_SIZE);
      const pause = new Promise((resolve) => setTimeout(resolve, BATCH_INTERVAL_MS));
      await projectInParts(batch);
      await pause;
    }
    isRunning = false;
  }

  async function projectInParts(batch: typeof waiting): Promise<void> {
    const parts = [batch];
    for (let part = parts.shift(); part; part = parts.shift()) {
      try {
        notify(await views.project(part.map(({ event }) => event)));
        for (const { promise } of part) promise.resolve();
      } catch (error) {
        if (isTransient(error)) {
          for (const { promise } of [part, ...parts].flat()) promise.reject(error);
          return;
        }
        if (part.length === 1) part[0]?.promise.reject(error);
        else {
          const half = Math.ceil(part.length / 2);
          parts.unshift(part.slice(0, half), part.slice(half));
        }
      }
    }
  }

  return (event: ConsumedEvent): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ event, promise: { resolve, reject } });
      if (!isRunning) void run();
    });
}

interface PromiseWithResolvers {
  resolve: () => void;
  reject: (reason: unknown) => void;
}
