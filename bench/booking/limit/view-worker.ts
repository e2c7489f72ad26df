import { parentPort, workerData } from 'node:worker_threads';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import { openViews } from './view-projection.ts';

/** A request of the limit's main thread to the thread that runs SQLite. */
export type ViewRequest = { id: number } & (
  | { work: 'project'; event: ProjectedEvent }
  | { work: 'findRecorded'; ids: readonly string[] }
  | { work: 'close' }
);

export type ViewResponse = { id: number; recorded?: string[]; error?: string };

const views = await openViews(workerData as string);

parentPort?.on('message', async (request: ViewRequest) => {
  const response: ViewResponse = { id: request.id };
  try {
    if (request.work === 'project') await views.project(request.event);
    if (request.work === 'findRecorded') response.recorded = await views.findRecorded(request.ids);
    if (request.work === 'close') views.close();
  } catch (error) {
    response.error = (error as Error).message;
  }
  parentPort?.postMessage(response);
  if (request.work === 'close') parentPort?.close();
});
