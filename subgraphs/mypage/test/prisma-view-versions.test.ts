import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaViewGenerations } from '../src/adapters/prisma-view-generations.ts';
import { prismaViewStore } from '../src/adapters/prisma-view-store.ts';
import { prismaViewVersions } from '../src/adapters/prisma-view-versions.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import {
  type BookingStatusView,
  type ProjectedEvent,
  project,
} from '../src/booking-status-view.ts';
import { bookingEvent, paymentEvent, wholeHistory } from './a-history.ts';
import { newBooking } from './a-view-database.ts';
import { engines } from './engines.ts';

const KEEP_MINUTES = 10;

describe.each(engines)('the kept versions on $name', ({ create }) => {
  let database: { url: string; drop(): Promise<void> };
  let prisma: PrismaClient;
  let views: ReturnType<typeof prismaViewStore>;
  let now = () => new Date();
  let versions: ReturnType<typeof prismaViewVersions>;

  beforeAll(async () => {
    database = await create();
    prisma = await openViewDatabase(database.url);
    views = prismaViewStore(prisma);
    versions = prismaViewVersions(prisma, KEEP_MINUTES, () => now());
  });

  afterAll(async () => {
    await prisma?.$disconnect();
    await database?.drop();
  });

  /** The view after each of the events. */
  function viewsAfterEach(events: readonly ProjectedEvent[]): BookingStatusView[] {
    let view: BookingStatusView | null = null;
    return events.map((event) => {
      view = project(view, event);
      return view;
    });
  }

  async function request(wanted: Parameters<typeof versions.find>[0][number]) {
    const [found] = await versions.find([wanted]);
    return found?.versions.map(({ view: { version } }) => version);
  }

  test('each event of a batch has a version, which is the view after it', async () => {
    const booking = newBooking();
    const history = wholeHistory(booking);
    const projected = await views.project(history);
    const states = viewsAfterEach(history);
    expect(projected).toEqual(states);
    const [found] = await versions.find([{ bookingId: booking.bookingId, after: 0 }]);
    expect(found?.present).toEqual(states.at(-1));
    expect(found?.versions.map(({ view }) => view)).toMatchObject(states);
    // A version has no statuses that came after it.
    for (const { view, timeline } of found?.versions ?? []) {
      expect(timeline.at(-1)?.bookingVersion).toBe(view.bookingVersion);
    }
  });

  test('a redelivered event makes no version', async () => {
    const booking = newBooking();
    const history = wholeHistory(booking);
    await views.project(history);
    expect(await views.project(history)).toEqual([]);
    expect(await request({ bookingId: booking.bookingId, after: 0 })).toHaveLength(history.length);
  });

  test('a request gets the present version, newer versions, or later ones', async () => {
    const booking = newBooking();
    const { bookingId } = booking;
    const history = wholeHistory(booking);
    const last = history.length;
    await views.project(history.slice(0, 3));
    const between = new Date(Date.now() + 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await views.project(history.slice(3));
    expect(await request({ bookingId })).toEqual([last]);
    expect(await request({ bookingId, after: last - 2 })).toEqual([last - 1, last]);
    expect(await request({ bookingId, after: last })).toEqual([]);
    const later = Array.from({ length: last - 3 }, (_, n) => n + 4);
    expect(await request({ bookingId, since: between })).toEqual(later);
    expect(await request({ bookingId, after: 5, since: between })).toEqual(later);
    // Above the present version: the read model was rebuilt with fewer events.
    expect(await request({ bookingId, after: last + 7 })).toEqual([last]);
    const together = await versions.find([
      { bookingId, after: 1 },
      { bookingId: uuidv7() },
      { bookingId },
    ]);
    expect(together.map((found) => found?.versions.length)).toEqual([last - 1, undefined, 1]);
  });

  test('a version that is projected during the request is not left out', async () => {
    const booking = newBooking();
    const history = wholeHistory(booking);
    await views.project(history.slice(0, 1));
    let concurrent = history.slice(1, 4);
    const interleaved = new Proxy(prisma, {
      get(client, name) {
        if (name !== 'viewVersion') return Reflect.get(client, name);
        return {
          async findMany(...args: Parameters<typeof prisma.viewVersion.findMany>) {
            const found = await prisma.viewVersion.findMany(...args);
            await views.project(concurrent.splice(0));
            return found;
          },
        };
      },
    });
    const reader = prismaViewVersions(interleaved, KEEP_MINUTES);
    const read = async (after: number) => {
      const [found] = await reader.find([{ bookingId: booking.bookingId, after }]);
      return found?.versions.map(({ view: { version } }) => version);
    };
    expect(await read(1)).toEqual([2, 3, 4]);
    concurrent = history.slice(4, 6);
    expect(await read(2)).toEqual([3, 4, 5, 6]);
  });

  test('versions without an event of their booking are not shown', async () => {
    const { bookingId, customerId } = newBooking();
    await views.project([paymentEvent(1, 'APPROVED', { bookingId })]);
    expect(await versions.find([{ bookingId, after: 0 }])).toEqual([null]);
    await views.project([bookingEvent(1, 'REQUESTED', { bookingId, customerId })]);
    await views.project([bookingEvent(2, 'PAID', { bookingId, customerId })]);
    // These are all versions that were shown: the hidden one before them is no gap.
    expect(await request({ bookingId, after: 0 })).toEqual([2, 3]);
  });

  test('recent versions are listed in the order of their projection, page by page', async () => {
    const since = new Date();
    const bookings = Array.from({ length: 7 }, newBooking);
    await views.project(bookings.map((booking) => bookingEvent(1, 'REQUESTED', booking)));
    await views.project(bookings.map((booking) => bookingEvent(2, 'PAID', booking)));
    const listed = [];
    for (
      let after = null, page = await versions.projectedSince(since, after, 5);
      page.length > 0;
    ) {
      listed.push(...page);
      after = page.at(-1) ?? null;
      page = await versions.projectedSince(since, after, 5);
    }
    expect(listed).toHaveLength(14);
    expect(listed.slice(0, 7).every(({ version }) => version === 1)).toBe(true);
    expect(new Set(listed.map(({ customerId }) => customerId)).size).toBe(7);
  });

  test('a rebuild makes no versions, and later ones are kept in the new generation', async () => {
    const booking = newBooking();
    const { bookingId } = booking;
    const history = wholeHistory(booking);
    const generations = prismaViewGenerations(prisma);
    await views.project(history.slice(0, 2));
    const rebuild = await generations.begin();
    const generation = Number(rebuild?.generation);
    await generations.project(generation, history.slice(0, 2), 2);
    await views.project(history.slice(2, 4));
    await generations.switchTo(generation, 'switched');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await request({ bookingId, after: 2 })).toEqual([3, 4]);
    // The rebuild made no older versions: only the present one is left.
    expect(await request({ bookingId, after: 0 })).toEqual([4]);
  });

  test('old versions are deleted in batches, and the view remains', async () => {
    const booking = newBooking();
    const { bookingId } = booking;
    await views.project(wholeHistory(booking));
    expect(await versions.deleteOld()).toBe(false);
    expect(await request({ bookingId, after: 1 })).not.toHaveLength(1);
    now = () => new Date(Date.now() + (KEEP_MINUTES + 1) * 60_000);
    while (await versions.deleteOld());
    expect(await prisma.viewVersion.count()).toBe(0);
    expect(await request({ bookingId, after: 1 })).toHaveLength(1);
  });
});
