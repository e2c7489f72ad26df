import type { BookingStatusView, ProjectedEvent } from '../booking-status-view.ts';
import type { ViewStore } from '../ports.ts';

const MAX_BATCH_SIZE = 200;
const PACE_MS = 50;

/**
 * Projects events in batches. The first event is written at once; those of the next 50 ms share a
 * transaction, so that a busy hour costs few commits and a quiet one no delay. The promise of an
 * event settles with its transaction. When a batch fails, its events are projected one by one, so
 * that a poisoned event fails alone; on a transient failure all fail at once, or each would wait for
 * a timeout. `notify` is called with the new versions of views once they are committed.
 */
export function batchProjector(
  views: Pick<ViewStore, 'project'>,
  notify: (versions: readonly BookingStatusView[]) => void,
  isTransient: (error: unknown) => boolean,
) {
  let waiting: { event: ProjectedEvent; settle: PromiseWithResolvers }[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const group = waiting.slice(0, MAX_BATCH_SIZE);
      waiting = waiting.slice(MAX_BATCH_SIZE);
      const pause = new Promise((resolve) => setTimeout(resolve, PACE_MS));
      try {
        notify(await views.project(group.map(({ event }) => event)));
        for (const { settle } of group) settle.resolve();
      } catch (error) {
        if (group.length === 1 || isTransient(error)) {
          for (const { settle } of group) settle.reject(error);
        } else await oneByOne(group);
      }
      await pause;
    }
    running = false;
  }

  async function oneByOne(group: typeof waiting): Promise<void> {
    for (const { event, settle } of group) {
      await views.project([event]).then(notify).then(settle.resolve, settle.reject);
    }
  }

  return (event: ProjectedEvent): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ event, settle: { resolve, reject } });
      if (!running) void run();
    });
}

interface PromiseWithResolvers {
  resolve: () => void;
  reject: (reason: unknown) => void;
}
