import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { isOutage } from '../src/adapters/view-projection.ts';
import { batchProjector } from '../src/application/batch-projector.ts';
import { type ProjectedEvent, project } from '../src/booking-status-view.ts';
import type { ViewPosition } from '../src/ports.ts';
import { bookingEvent, paymentEvent, registrationEvent, wholeHistory } from './a-history.ts';
import { engines } from './engines.ts';

describe.each(engines)('the views on $name', ({ clients: count, create }) => {
  let database: { url: string; drop(): Promise<void> };
  let clients: PrismaClient[] = [];
  let views: ReturnType<typeof prismaViewStore>;

  beforeAll(async () => {
    database = await create();
    clients = await Promise.all(
      Array.from({ length: count }, () => openViewDatabase(database.url)),
    );
    views = prismaViewStore(clients[0] as PrismaClient);
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.$disconnect()));
    await database?.drop();
  });

  const aPerson = () => ({ bookingId: uuidv7(), customerId: `person-${uuidv7()}` });
  const viewOf = ({ customerId, bookingId }: { customerId: string; bookingId: string }) =>
    views.find(customerId, bookingId);
  const expectedOf = (events: readonly ProjectedEvent[]) =>
    events.reduce<ReturnType<typeof project> | null>(project, null);
  const timelineOf = async (bookingId: string) =>
    (await views.timelines([bookingId])).get(bookingId)?.map(({ status }) => status);

  test('keep what the events tell, instants to the millisecond', async () => {
    const person = aPerson();
    const slot = {
      startAt: new Date('2030-06-03T01:00:00.123Z'),
      endAt: new Date('2030-06-03T03:00:00.987Z'),
    };
    const history = wholeHistory({ ...person, slot });
    await views.project(history);
    expect(await viewOf(person)).toEqual(expectedOf(history));
    expect(await timelineOf(person.bookingId)).toEqual([
      'REQUESTED',
      'PAID',
      'REGISTERED',
      'CANCELLING',
      'CANCELLED',
    ]);
    const ids = history.map(({ id }) => id);
    expect((await views.held([...ids, uuidv7()])).sort()).toEqual(ids.sort());
  });

  test('keep names as long as they may be', async () => {
    const person = { bookingId: uuidv7(), customerId: '가'.repeat(200) };
    await views.project(wholeHistory({ ...person, spaceName: '나'.repeat(200) }));
    expect(await viewOf(person)).toMatchObject({ spaceName: '나'.repeat(200) });
  });

  test('take each event once, told again alone, together or twice in one batch', async () => {
    const person = aPerson();
    const history = wholeHistory(person);
    await views.project([...history, ...history]);
    await views.project(history);
    for (const event of history) await views.project([event]);
    expect(await viewOf(person)).toEqual(expectedOf(history));
    expect(await timelineOf(person.bookingId)).toHaveLength(5);
  });

  test('are the same when the events come one by one and backwards', async () => {
    const person = aPerson();
    const history = wholeHistory(person);
    for (const event of [...history].reverse()) await views.project([event]);
    expect(await viewOf(person)).toEqual(expectedOf(history));
    expect((await timelineOf(person.bookingId))?.[0]).toBe('REQUESTED');
  });

  test('of a booking that only its payment and registration tell of are shown to nobody', async () => {
    const person = aPerson();
    const early = [paymentEvent(2, 'APPROVED', person), registrationEvent(1, 'REGISTERED', person)];
    await views.project(early);
    expect(await viewOf(person)).toBeNull();
    const booked = bookingEvent(1, 'REQUESTED', person);
    await views.project([booked]);
    expect(await viewOf(person)).toMatchObject({ paymentStatus: 'APPROVED', version: 3 });
  });

  test('are written with their events or not at all', async () => {
    const person = aPerson();
    const good = bookingEvent(1, 'REQUESTED', person);
    await expect(views.project([good, unstorable(aPerson())])).rejects.toThrow();
    expect(await viewOf(person)).toBeNull();
    expect(await views.held([good.id])).toEqual([]);
    expect(await timelineOf(person.bookingId)).toEqual([]);
  });

  test('converge when several projectors take the same events at the same time', async () => {
    const people = Array.from({ length: 4 }, aPerson);
    const histories = people.map(wholeHistory);
    const all = histories.flat();
    const projectors = Array.from({ length: 6 }, (_, index) =>
      prismaViewStore(clients[index % clients.length] as PrismaClient),
    );
    await Promise.all(
      projectors.map(async (projector, index) => {
        const own = index % 2 ? [...all].reverse() : all;
        for (let at = 0; at < own.length; at += 5) {
          await untilTaken(() => projector.project(own.slice(at, at + 5)));
        }
      }),
    );
    for (const [index, person] of people.entries()) {
      expect(await viewOf(person)).toEqual(expectedOf(histories[index] as ProjectedEvent[]));
      expect(await timelineOf(person.bookingId)).toHaveLength(5);
    }
  });

  test('lose none of the different events of one booking that several projectors take at once', async () => {
    const people = Array.from({ length: 10 }, aPerson);
    for (const person of people) {
      const history = wholeHistory(person);
      await Promise.all(
        history.map((event, index) => {
          const projector = prismaViewStore(clients[index % clients.length] as PrismaClient);
          return untilTaken(() => projector.project([event]));
        }),
      );
      expect(await viewOf(person)).toEqual(expectedOf(history));
    }
  });

  /** As the queue does it: what failed is told again. */
  async function untilTaken(attempt: () => Promise<unknown>): Promise<unknown> {
    for (let left = 50; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  describe('of a customer', () => {
    const starts = ['09', '10', '10', '10', '10', '11', '12'];
    let customerId: string;
    let newestFirst: string[];

    beforeAll(async () => {
      customerId = `person-${uuidv7()}`;
      const events = starts.map((hour) =>
        bookingEvent(1, hour === '11' ? 'PAID' : 'REQUESTED', {
          bookingId: uuidv7(),
          customerId,
          slot: {
            startAt: new Date(`2030-06-03T${hour}:00:00.000Z`),
            endAt: new Date('2030-06-03T13:00:00.000Z'),
          },
        }),
      );
      await views.project([...events, bookingEvent(1, 'REQUESTED', aPerson())]);
      newestFirst = events
        .map(({ facts }) => facts)
        .sort((a, b) =>
          a.slot.startAt.getTime() === b.slot.startAt.getTime()
            ? b.bookingId.localeCompare(a.bookingId)
            : b.slot.startAt.getTime() - a.slot.startAt.getTime(),
        )
        .map(({ bookingId }) => bookingId);
    });

    const page = (limit: number, after: ViewPosition | null, statuses: string[] | null = null) =>
      views.list(customerId, { limit, after, statuses });

    test('are listed by start, newest first, and no one else’s with them', async () => {
      const all = await page(100, null);
      expect(all.map(({ bookingId }) => bookingId)).toEqual(newestFirst);
    });

    test.each([1, 2, 3, 4])(
      'are turned %d a page without a loss or a repetition, over equal starts too',
      async (limit) => {
        const seen: string[] = [];
        let after: ViewPosition | null = null;
        for (;;) {
          const rows = await page(limit, after);
          seen.push(...rows.map(({ bookingId }) => bookingId));
          const last = rows.at(-1);
          if (!last?.startAt) break;
          after = { startAt: last.startAt, bookingId: last.bookingId };
        }
        expect(seen).toEqual(newestFirst);
      },
    );

    test('are listed by status', async () => {
      expect(await page(10, null, ['PAID'])).toHaveLength(1);
      expect(await page(10, null, ['PAID', 'REQUESTED'])).toHaveLength(7);
      expect(await page(10, null, ['EXPIRED'])).toEqual([]);
    });
  });

  test.each([
    ['case', 'chulsoo', 'Chulsoo'],
    ['accent', 'jose', 'josé'],
    ['the form of a letter', 'caf\u00e9', 'cafe\u0301'],
  ])('of customers that differ by %s are not one another’s', async (_what, one, other) => {
    const [mine, theirs] = [uuidv7(), uuidv7()];
    await views.project([
      bookingEvent(1, 'REQUESTED', { bookingId: mine, customerId: one }),
      bookingEvent(1, 'REQUESTED', { bookingId: theirs, customerId: other }),
    ]);
    const listOf = async (customerId: string) =>
      (await views.list(customerId, { limit: 10, after: null, statuses: null })).map(
        ({ bookingId }) => bookingId,
      );
    expect(await listOf(one)).toEqual([mine]);
    expect(await listOf(other)).toEqual([theirs]);
    expect(await views.find(one, theirs)).toBeNull();
    expect(await views.find(other, mine)).toBeNull();
  });

  /** Its slot is no instant: no database takes it. */
  function unstorable(person: { bookingId: string; customerId: string }): ProjectedEvent {
    const never = new Date(Number.NaN);
    return bookingEvent(1, 'REQUESTED', { ...person, slot: { startAt: never, endAt: never } });
  }

  describe('by a batch projector', () => {
    test('take everything that is told at once, each promise with its own event', async () => {
      const people = Array.from({ length: 60 }, aPerson);
      const histories = people.map(wholeHistory);
      const take = batchProjector(
        views,
        () => {},
        () => false,
      );
      await Promise.all(histories.flat().map((event) => take(event)));
      for (const [index, person] of people.entries()) {
        expect(await viewOf(person)).toEqual(expectedOf(histories[index] as ProjectedEvent[]));
      }
    });

    test('project a backlog of the same bookings that several replicas have, at once', async () => {
      const people = Array.from({ length: 150 }, aPerson);
      const histories = people.map(wholeHistory);
      const replicas = clients.map((client) =>
        batchProjector(prismaViewStore(client), () => {}, isOutage),
      );
      // In the order of publishing, dealt out in turn: each replica has some events of each booking.
      const backlog = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) =>
        histories.flatMap((history) => history[n] ?? []),
      );
      const outcomes = await Promise.allSettled(
        backlog.map((event, n) => replicas[n % replicas.length]?.(event)),
      );
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
      for (const [index, person] of people.entries()) {
        expect(await viewOf(person)).toEqual(expectedOf(histories[index] as ProjectedEvent[]));
      }
    }, 60_000);

    test('let a bad event fail alone, and go on', async () => {
      const people = Array.from({ length: 5 }, aPerson);
      const bad = unstorable(aPerson());
      const take = batchProjector(
        views,
        () => {},
        () => false,
      );
      // The first runs by itself; the others wait for it and make one group.
      const outcomes = await Promise.allSettled(
        [...people.map((person) => bookingEvent(1, 'REQUESTED', person)), bad]
          .reverse()
          .concat(people.map((person) => bookingEvent(2, 'PAID', person)))
          .concat(unstorable(aPerson()))
          .map((event) => take(event)),
      );
      expect(outcomes.map(({ status }) => status)).toEqual([
        'rejected',
        ...Array.from({ length: 10 }, () => 'fulfilled'),
        'rejected',
      ]);
      for (const person of people) {
        expect(await viewOf(person)).toMatchObject({ status: 'PAID', version: 2 });
      }
      expect(await views.held([bad.id])).toEqual([]);
      const next = aPerson();
      await take(bookingEvent(1, 'REQUESTED', next));
      expect(await viewOf(next)).toMatchObject({ status: 'REQUESTED' });
    });
  });
});

test('the views on SQLite go on after another process has held the write lock for long', async () => {
  const [sqlite] = engines;
  if (!sqlite) throw new Error('SQLite is always there');
  const { url, drop } = await sqlite.create();
  const prisma = await openViewDatabase(url);
  const other = createClient({ url });
  try {
    const views = prismaViewStore(prisma);
    const person = { bookingId: uuidv7(), customerId: 'kim' };
    const [first, ...later] = wholeHistory(person);
    if (!first) throw new Error('a history has events');
    await views.project([first]);
    await other.execute('BEGIN IMMEDIATE');
    await expect(views.project(later)).rejects.toThrow();
    await expect(prisma.inboxEvent.deleteMany()).rejects.toThrow();
    expect((await views.find('kim', person.bookingId))?.version).toBe(1);
    await other.execute('COMMIT');
    await views.project(later);
    expect((await views.find('kim', person.bookingId))?.version).toBe(later.length + 1);
  } finally {
    other.close();
    await prisma.$disconnect();
    await drop();
  }
});
