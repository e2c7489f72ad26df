import { setTimeout as wait } from 'node:timers/promises';
import { repeat } from '#platform/lifecycle/lifecycle.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { Rebuild, RebuildState, ViewGenerations } from '../ports.ts';
import { inViewTransaction, projectInto } from './view-projection.ts';
import { raiseVersions } from './view-versions-raise.ts';
import { viewsAfter, viewsOf } from './whole-views.ts';

/** The first one was there before any rebuild; a migration makes it. */
const FIRST = 1;
/** A rebuild that has told nothing for so long is dead. */
const LEASE_MS = 60_000;
/**
 * For so long the generation that was the live one is still written: processes may read it for a
 * second more, and their clocks may differ a little.
 */
const GRACE_MS = 10_000;
/** Longer than the longest transaction: then nobody writes a retired generation any more. */
const LAST_WRITERS_MS = 30_000;
const CLEAR_BATCH_SIZE = 200;
const TIDY_MS = 5_000;
const PAUSE_MS = 50;

type Client = PrismaClient | Prisma.TransactionClient;
type Row = Prisma.ViewGenerationGetPayload<object>;

/** The generations whose rows an event must reach: the live one, one that is being built or left. */
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
  if (!live) throw new Error('no generation of the views is the live one');
  return live.id;
}

/** For how long a process may go on reading the generation that was the live one. */
const KNOWN_MS = 1_000;

/** Knows the live generation, and asks once for all who want to know within a second of asking. */
export function liveGenerationReader(db: PrismaClient): () => Promise<number> {
  let answer: Promise<number> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (!answer || performance.now() - askedAt > KNOWN_MS) {
      askedAt = performance.now();
      const asked = liveGeneration(db);
      answer = asked;
      asked.catch(() => {
        if (answer === asked) answer = undefined;
      });
    }
    return answer;
  };
}

export interface ViewGenerationKeeper extends ViewGenerations {
  /**
   * Gives up a rebuild whose process died, and deletes a few hundred rows of a generation that
   * nobody uses any more. Resolves with whether there is more to delete.
   */
  tidy(): Promise<boolean>;
}

/** Generations on SQLite or MariaDB, in the tables of the views. */
export function prismaViewGenerations(
  prisma: PrismaClient,
  clock: () => Date = () => new Date(),
): ViewGenerationKeeper {
  const inMs = (ms: number) => new Date(clock().getTime() + ms);

  /** Whoever was given up writes nothing more: its generation may be cleared already. */
  async function whileBuilding(
    db: Client,
    id: number,
    data: Prisma.ViewGenerationUpdateManyMutationInput,
  ): Promise<void> {
    const { count } = await db.viewGeneration.updateMany({
      where: { id, slot: 'BUILDING' },
      data: { heartbeatAt: clock(), ...data },
    });
    if (count === 0) throw new Error(`generation ${id} is no longer being built`);
  }

  const ended = (state: string, message: string) => ({
    state,
    message,
    slot: null,
    finishedAt: clock(),
    retiredAt: clock(),
  });

  const giveUpDead = () =>
    prisma.viewGeneration.updateMany({
      where: { slot: 'BUILDING', heartbeatAt: { lt: inMs(-LEASE_MS) } },
      data: ended('FAILED', 'The process that rebuilt it is gone: start it again.'),
    });

  return {
    async begin() {
      await giveUpDead();
      const now = clock();
      try {
        const row = await prisma.$transaction(async (tx) => {
          const begun = await tx.viewGeneration.create({
            data: { state: 'BUILDING', slot: 'BUILDING', startedAt: now, heartbeatAt: now },
          });
          await holdDeadLetters(tx, begun.id);
          return begun;
        });
        return rebuildOf(row);
      } catch (error) {
        // The slot is taken: two that begin at once both get here, and one of them has it.
        if ((error as { code?: string }).code === 'P2002') return null;
        throw error;
      }
    },

    async latest() {
      const row = await prisma.viewGeneration.findFirst({
        where: { id: { gt: FIRST } },
        orderBy: { id: 'desc' },
      });
      return row && rebuildOf(row);
    },

    live: () => liveGeneration(prisma),

    async take(generation, events, eventsRead) {
      await inViewTransaction(prisma, async (tx) => {
        await whileBuilding(tx, generation, { eventsRead });
        // What the events say is told to nobody a second time.
        await projectInto(tx, generation, events, { keepVersions: false, clearFailures: false });
      });
    },

    async note(generation, { differingBookingIds, ...progress }) {
      await whileBuilding(prisma, generation, {
        ...progress,
        ...(differingBookingIds && { differingBookingIds: differingBookingIds.join(',') }),
      });
    },

    viewsAfter: (generation, bookingId, limit) => viewsAfter(prisma, generation, bookingId, limit),
    viewsOf: (generation, bookingIds) => viewsOf(prisma, generation, bookingIds),

    async raiseVersions(generation, live, bookingIds, where) {
      if (bookingIds.length === 0) return;
      await inViewTransaction(prisma, (tx) =>
        raiseVersions(tx, { generation, live, bookingIds, where, now: clock() }),
      );
    },

    async switchTo(generation, message) {
      await inViewTransaction(prisma, async (tx) => {
        await tx.viewGeneration.updateMany({
          where: { slot: 'LIVE' },
          data: { slot: null, state: 'RETIRED', retiredAt: inMs(GRACE_MS) },
        });
        const live = { slot: 'LIVE', state: 'LIVE', message, finishedAt: clock() };
        await whileBuilding(tx, generation, live);
      });
    },

    async giveUp(generation, state, message) {
      await whileBuilding(prisma, generation, ended(state, message));
    },

    async tidy() {
      await giveUpDead();
      const unused = await prisma.viewGeneration.findFirst({
        where: { clearedAt: null, retiredAt: { lt: inMs(-LAST_WRITERS_MS) } },
        select: { id: true },
      });
      if (!unused) return false;
      if (await deleteSome(prisma, unused.id)) return true;
      await prisma.viewGeneration.update({
        where: { id: unused.id },
        data: { clearedAt: clock() },
      });
      return false;
    },
  };
}

/** What is parked or discarded has no effect in the new generation either. */
async function holdDeadLetters(tx: Prisma.TransactionClient, generation: number): Promise<void> {
  const letters = await tx.deadLetter.findMany({
    where: { state: { in: ['PARKED', 'DISCARDED'] } },
    select: { eventId: true },
  });
  if (letters.length === 0) return;
  const data = letters.map(({ eventId }) => ({ generation, eventId, parked: true }));
  await tx.inboxEvent.createMany({ data });
}

/** Tidies now and then, and bit by bit, so that nobody waits for it. Returns what stops it. */
export function startTidying(
  generations: Pick<ViewGenerationKeeper, 'tidy'>,
  logger: Logger,
): () => Promise<void> {
  let stopping = false;
  const stop = repeat(logger, 'clearing old generations', TIDY_MS, async () => {
    while (!stopping && (await generations.tidy())) await wait(PAUSE_MS);
  });
  return () => {
    stopping = true;
    return stop();
  };
}

/** Deletes up to 200 rows of each table. Resolves with whether there were any. */
async function deleteSome(prisma: PrismaClient, generation: number): Promise<boolean> {
  const some = { where: { generation }, limit: CLEAR_BATCH_SIZE };
  const views = await prisma.bookingStatusView.deleteMany(some);
  const changes = await prisma.statusChange.deleteMany(some);
  const versions = await prisma.viewVersion.deleteMany(some);
  const events = await prisma.inboxEvent.deleteMany(some);
  return views.count + changes.count + versions.count + events.count > 0;
}

function rebuildOf(row: Row): Rebuild {
  const { id, state, differingBookingIds, startedAt, finishedAt, message } = row;
  const { eventsRead, eventsTotal, viewsCompared, differences } = row;
  return {
    generation: id,
    // What a rebuild has made is or was the live one.
    state: state === 'LIVE' || state === 'RETIRED' ? 'SWITCHED' : (state as RebuildState),
    ...{ eventsRead, eventsTotal, viewsCompared, differences, startedAt, finishedAt, message },
    differingBookingIds: differingBookingIds.split(',').filter((each) => each !== ''),
  };
}
