import {
  type DeadLetter,
  type DeadLetterState,
  type DeadLetters,
  MAX_COUNTED,
} from '#platform/messaging/dead-letters.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import type { Prisma, PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { liveGeneration, writtenGenerations } from './live-generation.ts';

const DELETE_BATCH_SIZE = 500;

type StoredDeadLetter = Prisma.DeadLetterGetPayload<object>;

/** Dead letters in the database of mypage's inbox, on SQLite or MariaDB. */
export function prismaDeadLetters(prisma: PrismaClient): DeadLetters {
  return {
    recordFailure: (event, error, parkAfter) =>
      prisma.$transaction(async (tx) => {
        const { id: eventId } = event;
        const previous = await tx.deadLetter.findUnique({ where: { eventId } });
        if (previous && !['FAILING', 'REPLAYING'].includes(previous.state)) return null;
        if (await isProcessed(tx, eventId)) return null;
        const failures = (previous?.failures ?? 0) + 1;
        const isParked = failures >= parkAfter && (await parkUnlessProcessed(tx, eventId));
        const failure = { failures, error, lastFailedAt: new Date() };
        if (!previous) {
          const state = isParked ? 'PARKED' : 'FAILING';
          const stored = event as unknown as Prisma.InputJsonObject;
          await tx.deadLetter.create({ data: { eventId, event: stored, state, ...failure } });
          return state;
        }
        const state = isParked ? 'PARKED' : previous.state;
        // Without effect if an operator has resolved the dead letter meanwhile.
        const { count } = await tx.deadLetter.updateMany({
          where: { eventId, state: previous.state },
          data: { state, ...failure },
        });
        return count > 0 ? (state as DeadLetterState) : null;
      }),

    async deleteProcessed() {
      // Reads first: on MariaDB a DELETE that reads the inbox would lock its rows.
      const failing = await prisma.deadLetter.findMany({
        where: { state: 'FAILING' },
        select: { eventId: true },
        take: DELETE_BATCH_SIZE,
      });
      const ids = failing.map(({ eventId }) => eventId);
      if (ids.length === 0) return;
      const processed = await prisma.inboxEvent.findMany({
        where: { generation: await liveGeneration(prisma), eventId: { in: ids } },
        select: { eventId: true },
      });
      const eventId = { in: processed.map((row) => row.eventId) };
      await prisma.deadLetter.deleteMany({ where: { eventId, state: 'FAILING' } });
    },

    async find(eventId) {
      const row = await prisma.deadLetter.findUnique({ where: { eventId } });
      return row && toDeadLetter(row);
    },

    async list({ states, after, limit }) {
      const rows = await prisma.deadLetter.findMany({
        where: { state: { in: [...states] }, ...(after && { eventId: { gt: after } }) },
        orderBy: { eventId: 'asc' },
        take: limit,
      });
      return rows.map(toDeadLetter);
    },

    count: (state) => prisma.deadLetter.count({ where: { state }, take: MAX_COUNTED }),

    beginReplay: (eventId) =>
      prisma.$transaction(async (tx) => {
        const { count } = await tx.deadLetter.updateMany({
          where: { eventId, state: 'PARKED' },
          data: { state: 'REPLAYING' },
        });
        if (count > 0) await tx.inboxEvent.deleteMany({ where: { eventId, parked: true } });
        return count > 0;
      }),

    async resolve(eventId, { state, by, reason }) {
      const { count } = await prisma.deadLetter.updateMany({
        where: { eventId, state: state === 'REPLAYED' ? 'REPLAYING' : 'PARKED' },
        data: { state, settledAt: new Date(), settledBy: by, reason },
      });
      return count > 0;
    },
  };
}

async function isProcessed(tx: Prisma.TransactionClient, eventId: string): Promise<boolean> {
  const generation = await liveGeneration(tx);
  return (await tx.inboxEvent.count({ where: { generation, eventId } })) > 0;
}

/**
 * Puts the event into the inbox of the live generation as parked; false: it is processed there already.
 * Another generation may have processed other events than the live one.
 */
async function parkUnlessProcessed(
  tx: Prisma.TransactionClient,
  eventId: string,
): Promise<boolean> {
  const live = await liveGeneration(tx);
  const rows = await tx.inboxEvent.findMany({ where: { eventId }, select: { generation: true } });
  const processedIn = rows.map(({ generation }) => generation);
  if (processedIn.includes(live)) return false;
  const others = (await writtenGenerations(tx)).filter(
    (each) => !processedIn.includes(each.generation),
  );
  const data = others.map(({ generation }) => ({ generation, eventId, parked: true }));
  await tx.inboxEvent.createMany({ data });
  return true;
}

function toDeadLetter(row: StoredDeadLetter): DeadLetter {
  return {
    ...row,
    event: row.event as unknown as EventRecord,
    state: row.state as DeadLetterState,
  };
}
