import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import type { Rebuild, RebuildState, ViewGenerations } from '../ports.ts';
import { liveGeneration } from './live-generation.ts';
import { fromSpaceRow } from './space-projection.ts';
import { inViewTransaction, projectInto } from './view-projection.ts';
import { raiseVersions } from './view-versions-raise.ts';
import { findViews, findViewsAfter } from './views-with-timelines.ts';

/** The generation that a migration creates; no rebuild made it. */
const FIRST_GENERATION = 1;
/** A rebuild that has stored no progress for this long is dead. */
const LEASE_MS = 60_000;
/** How long a retired generation is still written: caches may show it for 1 s, and clocks differ. */
const GRACE_MS = 10_000;

type Client = PrismaClient | Prisma.TransactionClient;
type Row = Prisma.ViewGenerationGetPayload<object>;
type Changes = Prisma.ViewGenerationUpdateManyMutationInput;

/** Generations on SQLite or MariaDB, in the tables of the views. */
export function prismaViewGenerations(
  prisma: PrismaClient,
  clock: () => Date = () => new Date(),
): ViewGenerations {
  const update = (db: Client, generation: number, changes: Changes) =>
    updateBuilding(db, generation, { heartbeatAt: clock(), ...changes });

  return {
    async begin() {
      await failDeadRebuilds(prisma, clock());
      const row = await insertGeneration(prisma, clock());
      return row && toRebuild(row);
    },

    async latest() {
      const row = await prisma.viewGeneration.findFirst({
        where: { id: { gt: FIRST_GENERATION } },
        orderBy: { id: 'desc' },
      });
      return row && toRebuild(row);
    },

    live: () => liveGeneration(prisma),

    async project(generation, events, eventsRead) {
      await inViewTransaction(prisma, async (tx) => {
        await update(tx, generation, { eventsRead });
        // No versions: a rebuild must not notify subscribers of old changes again.
        await projectInto(tx, generation, events, { keepVersions: false, clearFailures: false });
      });
    },

    async recordProgress(generation, { differingBookingIds, ...progress }) {
      await update(prisma, generation, {
        ...progress,
        ...(differingBookingIds && { differingBookingIds: differingBookingIds.join(',') }),
      });
    },

    viewsAfter: (generation, bookingId, limit) =>
      findViewsAfter(prisma, generation, bookingId, limit),
    findViews: (generation, bookingIds) => findViews(prisma, generation, bookingIds),
    async spacesAfter(generation, spaceId, limit) {
      const rows = await prisma.spaceView.findMany({
        where: { generation, spaceId: { gt: spaceId } },
        omit: { generation: true },
        orderBy: { spaceId: 'asc' },
        take: limit,
      });
      return rows.map(fromSpaceRow);
    },

    async raiseVersions(generation, live, bookingIds, where) {
      if (bookingIds.length === 0) return;
      await inViewTransaction(prisma, (tx) =>
        raiseVersions(tx, { generation, live, bookingIds, where, now: clock() }),
      );
    },

    async switchTo(generation, message) {
      await inViewTransaction(prisma, async (tx) => {
        const retiredAt = new Date(clock().getTime() + GRACE_MS);
        await tx.viewGeneration.updateMany({
          where: { slot: 'LIVE' },
          data: { slot: null, state: 'RETIRED', retiredAt },
        });
        const live = { slot: 'LIVE', state: 'LIVE', message, finishedAt: clock() };
        await update(tx, generation, live);
      });
    },

    async fail(generation, state, message) {
      await update(prisma, generation, toEnded(state, message, clock()));
    },
  };
}

/** Fails rebuilds whose process died: their lease has run out. */
export async function failDeadRebuilds(prisma: PrismaClient, now: Date): Promise<void> {
  await prisma.viewGeneration.updateMany({
    where: { slot: 'BUILDING', heartbeatAt: { lt: new Date(now.getTime() - LEASE_MS) } },
    data: toEnded('FAILED', 'The process that rebuilt it is gone: start it again.', now),
  });
}

/** A failed rebuild writes nothing more: its generation may be deleted already. */
async function updateBuilding(db: Client, id: number, data: Changes): Promise<void> {
  const { count } = await db.viewGeneration.updateMany({
    where: { id, slot: 'BUILDING' },
    data,
  });
  if (count === 0) throw new Error(`generation ${id} is no longer being built`);
}

/** Inserts a generation that is being built; null: there is one already. */
async function insertGeneration(prisma: PrismaClient, now: Date): Promise<Row | null> {
  try {
    return await prisma.$transaction(async (tx) => {
      const row = await tx.viewGeneration.create({
        data: { state: 'BUILDING', slot: 'BUILDING', startedAt: now, heartbeatAt: now },
      });
      await copyDeadLetters(tx, row.id);
      return row;
    });
  } catch (error) {
    // The slot is unique: of two rebuilds that begin at once, one gets this error.
    if ((error as { code?: string }).code === 'P2002') return null;
    throw error;
  }
}

/** Puts parked and discarded events into the inbox of the generation, which must not process them. */
async function copyDeadLetters(tx: Prisma.TransactionClient, generation: number): Promise<void> {
  const letters = await tx.deadLetter.findMany({
    where: { state: { in: ['PARKED', 'DISCARDED'] } },
    select: { eventId: true },
  });
  if (letters.length === 0) return;
  const data = letters.map(({ eventId }) => ({ generation, eventId, parked: true }));
  await tx.inboxEvent.createMany({ data });
}

function toEnded(state: 'DIFFERENT' | 'FAILED', message: string, now: Date) {
  return { state, message, slot: null, finishedAt: now, retiredAt: now };
}

function toRebuild(row: Row): Rebuild {
  const { id, state, differingBookingIds, startedAt, finishedAt, message } = row;
  const { eventsRead, eventsTotal, viewsCompared, differences } = row;
  return {
    generation: id,
    // A generation that is or was live has been switched to.
    state: state === 'LIVE' || state === 'RETIRED' ? 'SWITCHED' : (state as RebuildState),
    ...{ eventsRead, eventsTotal, viewsCompared, differences, startedAt, finishedAt, message },
    differingBookingIds: differingBookingIds.split(',').filter((each) => each !== ''),
  };
}
