import { Worker } from 'node:worker_threads';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import type { ViewAnswer, ViewCall } from './view-worker.ts';

export interface ViewThread {
  /** Takes an event in; resolves when its group is committed. */
  project(event: ProjectedEvent): Promise<void>;
  held(ids: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

type Work<Call> = Call extends unknown ? Omit<Call, 'call'> : never;

/**
 * Mypage's part of the limit in a thread of its own, as mypage is a process of its own: SQLite's
 * driver blocks its thread until a commit is on disk, and that would hold up PostgreSQL's part.
 */
export function startViewThread(url: string): ViewThread {
  const worker = new Worker(new URL('./view-worker.js', import.meta.url), { workerData: url });
  type Asker = { resolve: (answer: ViewAnswer) => void; reject: (error: Error) => void };
  const askers = new Map<number, Asker>();
  let calls = 0;
  let broken: Error | undefined;
  worker.on('message', (answer: ViewAnswer) => {
    const asker = askers.get(answer.call);
    askers.delete(answer.call);
    if (answer.problem === undefined) asker?.resolve(answer);
    else asker?.reject(new Error(`SQLite: ${answer.problem}`));
  });
  worker.on('error', (error: Error) => {
    broken = error;
    for (const { reject } of askers.values()) reject(error);
  });

  function ask(work: Work<ViewCall>): Promise<ViewAnswer> {
    if (broken) return Promise.reject(broken);
    calls += 1;
    const call = calls;
    return new Promise((resolve, reject) => {
      askers.set(call, { resolve, reject });
      worker.postMessage({ ...work, call });
    });
  }

  return {
    project: async (event) => void (await ask({ work: 'project', event })),
    held: async (ids) => (await ask({ work: 'held', ids })).held ?? [],
    close: async () => void (await ask({ work: 'close' })),
  };
}
