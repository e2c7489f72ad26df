import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';

/** How long a process may go on reading the previous live generation. */
const LIVE_CACHE_MS = 1_000;

type Client = PrismaClient | Prisma.TransactionClient;

/** The generations that events are written to: the live one, one being built, one just retired. */
export async function writtenGenerations(
  db: Client,
): Promise<{ generation: number; isLive: boolean }[]> {
  const rows = await db.viewGeneration.findMany({
    where: { OR: [{ retiredAt: null }, { retiredAt: { gt: new Date() } }] },
    select: { id: true, slot: true },
  });
  return rows.map(({ id, slot }) => ({ generation: id, isLive: slot === 'LIVE' }));
}

export async function liveGeneration(db: Client): Promise<number> {
  const live = await db.viewGeneration.findUnique({
    where: { slot: 'LIVE' },
    select: { id: true },
  });
  if (!live) throw new Error('there is no live generation of the views');
  return live.id;
}

/** Reads the live generation, and caches it for a second; concurrent calls share one query. */
export function liveGenerationReader(db: PrismaClient): () => Promise<number> {
  let cached: Promise<number> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (!cached || performance.now() - readAt > LIVE_CACHE_MS) {
      readAt = performance.now();
      const reading = liveGeneration(db);
      cached = reading;
      reading.catch(() => {
        if (cached === reading) cached = undefined;
      });
    }
    return cached;
  };
}
