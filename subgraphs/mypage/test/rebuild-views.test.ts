import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { until } from '../../../tests/support/system.ts';
import {
  prismaViewGenerations,
  type ViewGenerationKeeper,
} from '../src/adapters/prisma-view-generations.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { prismaViewVersions } from '../src/adapters/prisma-view-versions.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { rebuilder } from '../src/application/rebuild-views.ts';
import { type ProjectedEvent, project } from '../src/booking-status-view.ts';
import type { Rebuild, StoredEvent, StoredEvents, ToldBy } from '../src/ports.ts';
import { bookingEvent, wholeHistory } from './a-history.ts';
import { engines } from './engines.ts';

const MINUTE = 60_000;
const from = { booking: 'book', payment: 'payment', registration: 'space' } as const;

/** What the contexts have stored: grows while it is read. */
function eventLog(pageSize = 7) {
  const stored: Record<ToldBy, StoredEvent[]> = { book: [], payment: [], space: [] };
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
    add(...events: ProjectedEvent[]) {
      for (const event of events) {
        stored[from[event.of]].push({ id: event.id, event, isUnreadable: false });
      }
    },
    addUnreadable: () => stored.book.push({ id: uuidv7(), event: null, isUnreadable: true }),
  };
}

describe.each(engines)('a rebuild of the views on $name', ({ clients: count, create }) => {
  let database: { url: string; drop(): Promise<void> };
  let clients: PrismaClient[] = [];
  let prisma: PrismaClient;
  let views: ReturnType<typeof prismaViewStore>;
  let generations: ViewGenerationKeeper;
  let now = Date.now();
  /** Stands still but for what a test adds: then leases and graces do not end by themselves. */
  const clock = () => new Date(now);

  beforeAll(async () => {
    database = await create();
    clients = await Promise.all(
      Array.from({ length: count }, () => openViewDatabase(database.url)),
    );
    prisma = clients.at(-1) as PrismaClient;
    views = prismaViewStore(clients[0] as PrismaClient);
    generations = prismaViewGenerations(prisma, clock);
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.$disconnect()));
    await database?.drop();
  });

  const aPerson = () => ({ bookingId: uuidv7(), customerId: `person-${uuidv7()}` });
  const expectedOf = (events: readonly ProjectedEvent[]) =>
    events.reduce<ReturnType<typeof project> | null>(project, null);
  const history = eventLog();

  async function takenLive(events: ProjectedEvent[]): Promise<void> {
    history.add(...events);
    await views.project(events);
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

  async function ended(generation: number | undefined): Promise<Rebuild> {
    return until(
      'the rebuild has ended',
      async () => {
        const latest = await generations.latest();
        return latest?.generation === generation && latest?.finishedAt ? latest : null;
      },
      25,
    );
  }

  async function rebuilt(events?: StoredEvents, acceptDifferences = false): Promise<Rebuild> {
    return ended((await rebuild(events, acceptDifferences).start())?.generation);
  }

  async function rowsOf(generation: number): Promise<number> {
    const where = { generation };
    return (
      (await prisma.bookingStatusView.count({ where })) +
      (await prisma.statusChange.count({ where })) +
      (await prisma.inboxEvent.count({ where }))
    );
  }

  test('is equal to the live ones, takes their place, and goes on being written', async () => {
    const people = Array.from({ length: 30 }, aPerson);
    const histories = people.map(wholeHistory);
    for (const events of histories) await takenLive(events);
    const before = await generations.live();
    const result = await rebuilt();
    expect(result).toMatchObject({
      state: 'SWITCHED',
      differences: 0,
      eventsRead: 270,
      eventsTotal: 270,
      viewsCompared: 30,
    });
    expect(await generations.live()).toBe(result.generation);
    expect(result.generation).toBeGreaterThan(before);

    const next = aPerson();
    await takenLive([bookingEvent(1, 'REQUESTED', next)]);
    const readers = prismaViewStore(prisma);
    expect(await readers.find(next.customerId, next.bookingId)).not.toBeNull();
    for (const [index, { customerId, bookingId }] of people.entries()) {
      const view = await readers.find(customerId, bookingId);
      expect(view).toEqual(expectedOf(histories[index] as ProjectedEvent[]));
    }
    const held = histories.flat().map(({ id }) => id);
    expect((await readers.held(held)).length).toBe(held.length);
  });

  test('misses nothing that projectors take meanwhile, also of bookings that it projects', async () => {
    const people = Array.from({ length: 40 }, aPerson);
    const histories = people.map(wholeHistory);
    for (const events of histories) await takenLive(events.slice(0, 3));
    const begun = await rebuild().start();
    const projectors = clients.map((client) => prismaViewStore(client));
    await Promise.all(
      histories.map(async (events, index) => {
        // Stored before they are taken, as contexts do; several projectors, and some tell twice.
        history.add(...events.slice(3));
        const projector = projectors[index % projectors.length];
        await projector?.project(events.slice(3, 6));
        await projectors[(index + 1) % projectors.length]?.project(events.slice(5));
      }),
    );
    expect(await ended(begun?.generation)).toMatchObject({ state: 'SWITCHED', differences: 0 });
    const readers = prismaViewStore(prisma);
    for (const [index, { customerId, bookingId }] of people.entries()) {
      const view = await readers.find(customerId, bookingId);
      expect(view).toEqual(expectedOf(histories[index] as ProjectedEvent[]));
    }
  });

  test('waits for events that the live ones are still to take', async () => {
    const late = Array.from({ length: 3 }, () => wholeHistory(aPerson()));
    for (const events of late) history.add(...events);
    const begun = await rebuild().start();
    await until('they are found to differ', async () => {
      const latest = await generations.latest();
      return latest?.state === 'COMPARING' && latest.differences > 0;
    });
    for (const events of late) await views.project(events);
    expect(await ended(begun?.generation)).toMatchObject({ state: 'SWITCHED', differences: 0 });
  });

  test('finds each kind of difference, keeps the live ones, and repairs them when told to', async () => {
    const people = Array.from({ length: 4 }, aPerson);
    const [wrong, gone, short, extra] = people as [
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
      (typeof people)[0],
    ];
    for (const person of [wrong, gone, short]) await takenLive(wholeHistory(person));
    await views.project([bookingEvent(1, 'REQUESTED', extra)]);
    const live = await generations.live();
    const of = ({ bookingId }: { bookingId: string }) => ({
      where: { generation: live, bookingId },
    });
    await prisma.bookingStatusView.updateMany({ ...of(wrong), data: { refunded: 1 } });
    await prisma.bookingStatusView.deleteMany(of(gone));
    await prisma.statusChange.deleteMany({
      where: { generation: live, bookingId: short.bookingId, bookingVersion: 2 },
    });

    const result = await rebuilt();
    expect(result).toMatchObject({ state: 'DIFFERENT', differences: 4 });
    expect([...result.differingBookingIds].sort()).toEqual(
      people.map(({ bookingId }) => bookingId).sort(),
    );
    expect(await generations.live()).toBe(live);

    expect(await rebuilt(history.log, true)).toMatchObject({ state: 'SWITCHED', differences: 4 });
    expect(await rebuilt()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    const readers = prismaViewStore(prisma);
    expect(await readers.find(gone.customerId, gone.bookingId)).not.toBeNull();
    expect(await readers.find(extra.customerId, extra.bookingId)).toBeNull();
  }, 60_000);

  test('never leads to lower versions, and shows a repaired view as a change of its own', async () => {
    const [same, wrong] = [aPerson(), aPerson()];
    const histories = [wholeHistory(same), wholeHistory(wrong)];
    for (const events of histories) await takenLive(events);
    // As if more events had been taken than are stored, and one of the views had been spoiled.
    const spoil = async ({ bookingId }: { bookingId: string }, data: object) => {
      const where = { generation: await generations.live(), bookingId };
      await prisma.bookingStatusView.updateMany({ where, data });
    };
    await spoil(same, { version: 40 });
    await spoil(wrong, { version: 50, refunded: 1 });
    const began = new Date(now);
    const readers = prismaViewStore(prisma);
    expect(await rebuilt(history.log, true)).toMatchObject({ state: 'SWITCHED', differences: 1 });
    const [sameView, wrongView] = await Promise.all(
      [same, wrong].map(({ bookingId, customerId }) => readers.find(customerId, bookingId)),
    );
    expect(sameView).toEqual({ ...expectedOf(histories[0] ?? []), version: 40 });
    expect(wrongView).toEqual({ ...expectedOf(histories[1] ?? []), version: 51 });

    const versions = prismaViewVersions(prisma, 10);
    const [answer] = await versions.of([{ bookingId: wrong.bookingId, after: 50 }]);
    expect(answer?.versions.map(({ view: { version } }) => version)).toEqual([51]);
    const notifications = await versions.projectedSince(began, null, 100);
    expect(notifications).toContainEqual(expect.objectContaining({ ...wrong, version: 51 }));

    // What follows rises on from there, and the next rebuild finds nothing that differs.
    const next = bookingEvent(99, 'CANCELLED', wrong);
    await takenLive([next]);
    expect(await rebuilt()).toMatchObject({ state: 'SWITCHED', differences: 0 });
    const last = await readers.find(wrong.customerId, wrong.bookingId);
    expect(last).toMatchObject({ version: 52, status: 'CANCELLED' });
  });

  test('leaves out what cannot be read, and says so', async () => {
    history.addUnreadable();
    const { state, message } = await rebuilt();
    expect(state).toBe('SWITCHED');
    expect(message).toContain('Unreadable events, left out: 1.');
  });

  test('is the only one: of several that begin at once, one does', async () => {
    const keepers = clients.map((client) => prismaViewGenerations(client, clock));
    const begun = await Promise.all(
      [...keepers, ...keepers, generations].map((keeper) => keeper.begin()),
    );
    const [only, ...others] = begun.filter((each) => each !== null);
    expect(others).toEqual([]);
    await generations.giveUp(only?.generation as number, 'FAILED', 'over');
  });

  test('is given up when its process stops, and another may begin', async () => {
    const { rebuilds, start } = rebuild({
      ...history.log,
      page: () => Promise.reject(new Error('not reached')),
    });
    const begun = await start();
    await rebuilds.stop();
    expect(await ended(begun?.generation)).toMatchObject({ state: 'FAILED' });
    expect((await generations.latest())?.message).toMatch(/stopped/);
    expect(await rebuilt()).toMatchObject({ state: 'SWITCHED' });
  });

  test('of a process that died is given up after its lease, cannot go on, and is cleared', async () => {
    const dead = (await generations.begin())?.generation as number;
    await generations.take(dead, wholeHistory(aPerson()), 9);
    expect(await generations.begin()).toBeNull();
    now += 2 * MINUTE;
    const next = await generations.begin();
    expect(next).not.toBeNull();
    await expect(generations.take(dead, wholeHistory(aPerson()), 9)).rejects.toThrow(
      'no longer being built',
    );
    await expect(generations.switchTo(dead, 'late')).rejects.toThrow('no longer being built');
    await generations.giveUp(next?.generation as number, 'FAILED', 'over');
    now += MINUTE;
    while (await generations.tidy());
    await until('it is cleared', async () => {
      await generations.tidy();
      return (await rowsOf(dead)) === 0;
    });
  });

  test('leaves the generation before it written for a while, and then clears it', async () => {
    const before = await generations.live();
    await rebuilt();
    const person = aPerson();
    await takenLive(wholeHistory(person));
    expect(
      await prisma.bookingStatusView.count({
        where: { generation: before, bookingId: person.bookingId },
      }),
    ).toBe(1);
    now += MINUTE;
    await until('only the live one has rows', async () => {
      while (await generations.tidy());
      const rows = await prisma.inboxEvent.groupBy({ by: ['generation'] });
      return rows.length === 1 && rows[0]?.generation === (await generations.live());
    });
    expect(await rowsOf(await generations.live())).toBeGreaterThan(0);
  });
});
