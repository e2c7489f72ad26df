import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaHostViews } from '../src/adapters/prisma-host-views.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { prismaViewVersions } from '../src/adapters/prisma-view-versions.ts';
import type { ConsumedEvent } from '../src/space-view.ts';
import { bookingEvent, spaceEvent, wholeHistory } from './a-history.ts';
import { newBooking, type OpenViews, openViews } from './a-view-database.ts';
import { engines } from './engines.ts';

const ALL = { spaceId: null, statuses: null, startsFrom: null, startsBefore: null };

/** Releases up to 0.2.0 publish bookings that do not name the host. */
describe.each(engines)('bookings whose events name no host on $name', (engine) => {
  let database: OpenViews;

  beforeAll(async () => {
    database = await openViews(engine);
  });

  afterAll(() => database?.close());

  async function listOf(hostId: string) {
    const hosts = prismaHostViews(database.clients[0] as PrismaClient);
    const found = await hosts.list(hostId, ALL, { limit: 100, after: null });
    return found.map(({ view: { version, ...view } }) => view);
  }

  /** A space's events, and those of two of its bookings. */
  function newHistory() {
    const [hostId, spaceId] = [`host-${uuidv7()}`, uuidv7()];
    const bookings = [newBooking(), newBooking()];
    const events: ConsumedEvent[] = [
      spaceEvent(1, { spaceId, hostId }),
      spaceEvent(2, { spaceId, hostId, name: 'Loft 2' }),
      ...bookings.flatMap((booking) => wholeHistory({ ...booking, spaceId })),
    ];
    return { hostId, spaceId, bookings, events };
  }

  test('a host sees the same bookings whichever order the events of space and bookings come in', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 4, maxLength: 20 });
    const random = fc.tuple(fc.infiniteStream(fc.nat()), cuts);
    await fc.assert(
      fc.asyncProperty(random, async ([keys, sizes]) => {
        const { hostId, events } = newHistory();
        const order = events
          .map((event) => ({ event, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        for (const size of sizes) {
          const batch = order.splice(0, size);
          // Some are delivered twice.
          await database.views.project([...batch, ...batch.slice(0, 1)]);
        }
        await database.views.project(order);

        const expected = newHistory();
        await database.views.project(expected.events);
        const known = [hostId, expected.hostId];
        const [found, inOrder] = await Promise.all(known.map(listOf));
        const withoutIds = (views: typeof found) =>
          views?.map(({ bookingId, customerId, spaceId, hostId: host, ...rest }) => rest);
        expect(found).toHaveLength(2);
        expect(withoutIds(found)).toEqual(withoutIds(inOrder));
      }),
      { numRuns: 15 },
    );
  }, 120_000);

  test('a version that was kept before the space was known belongs to the host, too', async () => {
    const { hostId, spaceId, bookings } = newHistory();
    const [booking] = bookings as [(typeof bookings)[0]];
    const startedAt = new Date();
    await database.views.project([bookingEvent(1, 'REQUESTED', { ...booking, spaceId })]);
    await database.views.project([spaceEvent(1, { spaceId, hostId })]);
    const versions = prismaViewVersions(database.clients[0] as PrismaClient, 10);
    const [found] = await versions.find([{ bookingId: booking.bookingId, after: 0 }]);
    expect(found?.versions.map(({ view }) => view.hostId)).toEqual([hostId]);
    expect(await versions.projectedSince(startedAt, null, 100)).toContainEqual(
      expect.objectContaining({ ...booking, hostId, version: 1 }),
    );
  });

  test('no booking is left without its host when space and bookings are projected at once', async () => {
    const stores = database.clients.map((client) => prismaViewStore(client));
    for (let round = 0; round < 10; round += 1) {
      const { hostId, spaceId } = newHistory();
      const bookings = Array.from({ length: 6 }, newBooking);
      const batches: ConsumedEvent[][] = [
        ...bookings.map((booking) => [bookingEvent(1, 'REQUESTED', { ...booking, spaceId })]),
        [spaceEvent(1, { spaceId, hostId })],
        ...bookings.map((booking) => [bookingEvent(2, 'PAID', { ...booking, spaceId })]),
      ];
      await Promise.all(
        batches.map((batch, index) => stores[index % stores.length]?.project(batch)),
      );
      expect(await listOf(hostId)).toHaveLength(bookings.length);
    }
  }, 60_000);
});
