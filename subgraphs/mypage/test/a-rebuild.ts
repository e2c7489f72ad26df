import { setTimeout as wait } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { until } from '../../../tests/support/system.ts';
import { prismaViewGenerations } from '../src/adapters/prisma-view-generations.ts';
import { rebuilder } from '../src/application/rebuild-views.ts';
import type { PublishingContext, Rebuild, StoredEvent, StoredEvents } from '../src/ports.ts';
import type { ConsumedEvent } from '../src/space-view.ts';
import { openViews } from './a-view-database.ts';
import type { Engine } from './engines.ts';

const PUBLISHERS = {
  booking: 'book',
  payment: 'payment',
  registration: 'space',
  space: 'space',
} as const;

/** The events that the contexts have stored; grows while it is read. */
function eventLog(pageSize = 7) {
  const stored: Record<PublishingContext, StoredEvent[]> = { book: [], payment: [], space: [] };
  const log: StoredEvents = {
    async page(context, after) {
      const later = stored[context]
        .filter(({ id }) => after === null || id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      const events = later.slice(0, pageSize);
      return { events, next: later.length > pageSize ? (events.at(-1)?.id ?? null) : null };
    },
    count: async (context) => stored[context].length,
  };
  return {
    log,
    add(...events: ConsumedEvent[]) {
      for (const event of events) {
        stored[PUBLISHERS[event.aggregate]].push({ id: event.id, event, isUnreadable: false });
      }
    },
    addUnreadable: () => stored.book.push({ id: uuidv7(), event: null, isUnreadable: true }),
  };
}

/** The views on a new database, their generations, and the contexts' events to rebuild them from. */
export async function openRebuilds(engine: Engine) {
  const database = await openViews(engine);
  const prisma = database.clients.at(-1) as PrismaClient;
  let now = Date.now();
  /** Advanced by tests only, so that leases and grace periods do not end by themselves. */
  const clock = () => new Date(now);
  const generations = prismaViewGenerations(prisma, clock);
  const history = eventLog();

  async function publishAndProject(events: ConsumedEvent[]): Promise<void> {
    history.add(...events);
    await database.views.project(events);
  }

  function rebuild(events: StoredEvents = history.log, acceptDifferences = false) {
    const rebuilds = rebuilder({
      generations,
      events,
      clock: () => new Date(),
      pause: wait,
      log: () => {},
    });
    return { rebuilds, start: () => rebuilds.start({ acceptDifferences, by: 'olga' }) };
  }

  async function untilEnded(generation: number | undefined): Promise<Rebuild> {
    return until(
      'the rebuild has ended',
      async () => {
        const latest = await generations.latest();
        return latest?.generation === generation && latest?.finishedAt ? latest : null;
      },
      25,
    );
  }

  async function completeRebuild(
    events?: StoredEvents,
    acceptDifferences = false,
  ): Promise<Rebuild> {
    return untilEnded((await rebuild(events, acceptDifferences).start())?.generation);
  }

  async function countRows(generation: number): Promise<number> {
    const where = { generation };
    return (
      (await prisma.bookingStatusView.count({ where })) +
      (await prisma.statusChange.count({ where })) +
      (await prisma.spaceView.count({ where })) +
      (await prisma.inboxEvent.count({ where }))
    );
  }

  return {
    ...{ database, prisma, clock, generations, history, views: database.views },
    ...{ publishAndProject, rebuild, untilEnded, completeRebuild, countRows },
    advance: (ms: number) => {
      now += ms;
    },
  };
}
export type Rebuilds = Awaited<ReturnType<typeof openRebuilds>>;
