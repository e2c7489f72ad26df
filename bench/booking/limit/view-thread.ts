import { Worker } from 'node:worker_threads';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import type { ViewRequest, ViewResponse } from './view-worker.ts';

export interface ViewThread {
  /** Projects an event; resolves when its group is committed. */
  project(event: ProjectedEvent): Promise<void>;
  findRecorded(ids: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

type Work<Request> = Request extends unknown ? Omit<Request, 'id'> : never;

/**
 * Mypage's part of the limit in a thread of its own, as mypage is a process of its own: SQLite's
 * driver blocks its thread until a commit is on disk, and that would delay PostgreSQL's part.
 */
export function startViewThread(url: string): ViewThread {
  const worker = new Worker(new URL('./view-worker.js', import.meta.url), { workerData: url });
  type Pending = { resolve: (response: ViewResponse) => void; reject: (error: Error) => void };
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let broken: Error | undefined;
  worker.on('message', (response: ViewResponse) => {
    const request = pending.get(response.id);
    pending.delete(response.id);
    if (response.error === undefined) request?.resolve(response);
    else request?.reject(new Error(`SQLite: ${response.error}`));
  });
  worker.on('error', (error: Error) => {
    broken = error;
    for (const { reject } of pending.values()) reject(error);
  });

  function send(work: Work<ViewRequest>): Promise<ViewResponse> {
    if (broken) return Promise.reject(broken);
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject });
      worker.postMessage({ ...work, id });
    });
  }

  return {
    project: async (event) => void (await send({ work: 'project', event })),
    findRecorded: async (ids) => (await send({ work: 'findRecorded', ids })).recorded ?? [],
    close: async () => void (await send({ work: 'close' })),
  };
}
