import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { isOutage } from '../src/adapters/view-projection.ts';
import { batchProjector } from '../src/application/batch-projector.ts';
import type { ProjectedEvent } from '../src/booking-status-view.ts';
import { bookingEvent, wholeHistory } from './a-history.ts';
import {
  newBooking,
  type OpenViews,
  openViews,
  projectAll,
  unstorable,
} from './a-view-database.ts';
import { engines } from './engines.ts';

describe.each(engines)('concurrent writers of the views on $name', (engine) => {
  let database: OpenViews;
  let views: OpenViews['views'];

  beforeAll(async () => {
    database = await openViews(engine);
    views = database.views;
  });

  afterAll(() => database?.close());

  test('views converge when several projectors process the same events concurrently', async () => {
    const bookings = Array.from({ length: 4 }, newBooking);
    const histories = bookings.map(wholeHistory);
    const all = histories.flat();
    const projectors = Array.from({ length: 6 }, (_, index) =>
      prismaViewStore(database.clients[index % database.clients.length] as PrismaClient),
    );
    await Promise.all(
      projectors.map(async (projector, index) => {
        const own = index % 2 ? [...all].reverse() : all;
        for (let at = 0; at < own.length; at += 5) {
          await untilProjected(() => projector.project(own.slice(at, at + 5)));
        }
      }),
    );
    for (const [index, booking] of bookings.entries()) {
      expect(await database.findView(booking)).toEqual(
        projectAll(histories[index] as ProjectedEvent[]),
      );
      expect(await database.readTimeline(booking)).toHaveLength(5);
    }
  });

  test('no event is lost when several projectors process events of one booking concurrently', async () => {
    const bookings = Array.from({ length: 10 }, newBooking);
    for (const booking of bookings) {
      const history = wholeHistory(booking);
      await Promise.all(
        history.map((event, index) => {
          const projector = prismaViewStore(
            database.clients[index % database.clients.length] as PrismaClient,
          );
          return untilProjected(() => projector.project([event]));
        }),
      );
      expect(await database.findView(booking)).toEqual(projectAll(history));
    }
  });

  /** Repeats a failed attempt, as the queue does. */
  async function untilProjected(attempt: () => Promise<unknown>): Promise<unknown> {
    for (let left = 50; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  describe('the views of a batch projector', () => {
    test('events that arrive together are all projected, and each promise resolves', async () => {
      const bookings = Array.from({ length: 60 }, newBooking);
      const histories = bookings.map(wholeHistory);
      const projectEvent = batchProjector(
        views,
        () => {},
        () => false,
      );
      await Promise.all(histories.flat().map((event) => projectEvent(event)));
      for (const [index, booking] of bookings.entries()) {
        expect(await database.findView(booking)).toEqual(
          projectAll(histories[index] as ProjectedEvent[]),
        );
      }
    });

    test('replicas project a backlog of the same bookings concurrently', async () => {
      const bookings = Array.from({ length: 150 }, newBooking);
      const histories = bookings.map(wholeHistory);
      const replicas = database.clients.map((client) =>
        batchProjector(prismaViewStore(client), () => {}, isOutage),
      );
      // In the order of publishing, distributed in turn: each replica gets some events of each booking.
      const backlog = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) =>
        histories.flatMap((history) => history[n] ?? []),
      );
      const outcomes = await Promise.allSettled(
        backlog.map((event, n) => replicas[n % replicas.length]?.(event)),
      );
      expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
      for (const [index, booking] of bookings.entries()) {
        expect(await database.findView(booking)).toEqual(
          projectAll(histories[index] as ProjectedEvent[]),
        );
      }
    }, 60_000);

    test('a poisoned event fails alone, and later events are projected', async () => {
      const bookings = Array.from({ length: 5 }, newBooking);
      const poisoned = unstorable(newBooking());
      const projectEvent = batchProjector(
        views,
        () => {},
        () => false,
      );
      // The first event is projected alone; the others wait for it and make one batch.
      const outcomes = await Promise.allSettled(
        [...bookings.map((booking) => bookingEvent(1, 'REQUESTED', booking)), poisoned]
          .reverse()
          .concat(bookings.map((booking) => bookingEvent(2, 'PAID', booking)))
          .concat(unstorable(newBooking()))
          .map((event) => projectEvent(event)),
      );
      expect(outcomes.map(({ status }) => status)).toEqual([
        'rejected',
        ...Array.from({ length: 10 }, () => 'fulfilled'),
        'rejected',
      ]);
      for (const booking of bookings) {
        expect(await database.findView(booking)).toMatchObject({ status: 'PAID', version: 2 });
      }
      expect(await views.findRecorded([poisoned.id])).toEqual([]);
      const next = newBooking();
      await projectEvent(bookingEvent(1, 'REQUESTED', next));
      expect(await database.findView(next)).toMatchObject({ status: 'REQUESTED' });
    });
  });
});

test('views on SQLite are written after another process has held the write lock', async () => {
  const [sqlite] = engines;
  if (!sqlite) throw new Error('SQLite is always tested');
  const { url, drop } = await sqlite.create();
  const prisma = await openViewDatabase(url);
  const other = createClient({ url });
  try {
    const views = prismaViewStore(prisma);
    const booking = { bookingId: uuidv7(), customerId: 'kim' };
    const [first, ...later] = wholeHistory(booking);
    if (!first) throw new Error('a history has events');
    await views.project([first]);
    await other.execute('BEGIN IMMEDIATE');
    await expect(views.project(later)).rejects.toThrow();
    await expect(prisma.inboxEvent.deleteMany()).rejects.toThrow();
    expect((await views.find('kim', booking.bookingId))?.version).toBe(1);
    await other.execute('COMMIT');
    await views.project(later);
    expect((await views.find('kim', booking.bookingId))?.version).toBe(later.length + 1);
  } finally {
    other.close();
    await prisma.$disconnect();
    await drop();
  }
});
