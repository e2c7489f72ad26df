import { parentPort, workerData } from 'node:worker_threads';
import type { ProjectedEvent } from '../../../subgraphs/mypage/src/booking-status-view.ts';
import { openViews } from './view-projection.ts';

/** What the limit's main thread asks of the one that has SQLite. */
export type ViewCall = { call: number } & (
  | { work: 'project'; event: ProjectedEvent }
  | { work: 'held'; ids: readonly string[] }
  | { work: 'close' }
);

export type ViewAnswer = { call: number; held?: string[]; problem?: string };

const views = await openViews(workerData as string);

parentPort?.on('message', async (asked: ViewCall) => {
  const answer: ViewAnswer = { call: asked.call };
  try {
    if (asked.work === 'project') await views.project(asked.event);
    if (asked.work === 'held') answer.held = await views.held(asked.ids);
    if (asked.work === 'close') views.close();
  } catch (error) {
    answer.problem = (error as Error).message;
  }
  parentPort?.postMessage(answer);
  if (asked.work === 'close') parentPort?.close();
});
