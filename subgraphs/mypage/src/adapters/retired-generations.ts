import { setTimeout as wait } from 'node:timers/promises';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { failDeadRebuilds } from './prisma-view-generations.ts';

/** Longer than any transaction: after it no writer of a retired generation is left. */
const LAST_WRITERS_MS = 30_000;
const DELETE_BATCH_SIZE = 200;
const DELETE_INTERVAL_MS = 5_000;
/** Between two batches, for other writers. */
const PAUSE_MS = 50;

export interface RetiredGenerations {
  /**
   * Fails rebuilds whose process died, and deletes up to 200 rows of each table of a generation that is no
   * longer used. Resolves with whether there are more.
   */
  deleteBatch(): Promise<boolean>;
}

export function retiredGenerations(
  prisma: PrismaClient,
  clock: () => Date = () => new Date(),
): RetiredGenerations {
  return {
    async deleteBatch() {
      const now = clock();
      await failDeadRebuilds(prisma, now);
      const unused = await prisma.viewGeneration.findFirst({
        where: {
          clearedAt: null,
          retiredAt: { lt: new Date(now.getTime() - LAST_WRITERS_MS) },
        },
        select: { id: true },
      });
      if (!unused) return false;
      if (await deleteRows(prisma, unused.id)) return true;
      await prisma.viewGeneration.update({
        where: { id: unused.id },
        data: { clearedAt: clock() },
      });
      return false;
    },
  };
}

/** Deletes retired generations in batches with pauses. Returns what stops it. */
export function startDeletingGenerations(
  generations: RetiredGenerations,
  logger: Logger,
): () => Promise<void> {
  let isStopping = false;
  const stop = repeat(logger, 'deleting retired generations', DELETE_INTERVAL_MS, async () => {
    while (!isStopping && (await generations.deleteBatch())) await wait(PAUSE_MS);
  });
  return () => {
    isStopping = true;
    return stop();
  };
}

/** Resolves with whether there were any rows. */
async function deleteRows(prisma: PrismaClient, generation: number): Promise<boolean> {
  const batch = { where: { generation }, limit: DELETE_BATCH_SIZE };
  const views = await prisma.bookingStatusView.deleteMany(batch);
  const changes = await prisma.statusChange.deleteMany(batch);
  const versions = await prisma.viewVersion.deleteMany(batch);
  const spaces = await prisma.spaceView.deleteMany(batch);
  const events = await prisma.inboxEvent.deleteMany(batch);
  const all = [views, changes, versions, spaces, events];
  return all.some(({ count }) => count > 0);
}
