import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { prismaHostViews } from '../src/adapters/prisma-host-views.ts';
import type { HostBookingFilter, HostViews, ViewPosition } from '../src/ports.ts';
import { bookingEvent, paymentEvent, spaceEvent } from './a-history.ts';
import { newBooking, type OpenViews, openViews } from './a-view-database.ts';
import { engines } from './engines.ts';

const ALL: HostBookingFilter = {
  spaceId: null,
  statuses: null,
  startsFrom: null,
  startsBefore: null,
};
const at = (hour: string) => new Date(`2030-06-03T${hour}:00:00.000Z`);

/** A host with two spaces of their own. */
const newHost = () => ({ hostId: `host-${uuidv7()}`, one: uuidv7(), other: uuidv7() });

describe.each(engines)('the views of a host on $name', (engine) => {
  let database: OpenViews;
  let views: OpenViews['views'];
  let hosts: HostViews;

  beforeAll(async () => {
    database = await openViews(engine);
    views = database.views;
    hosts = prismaHostViews(database.clients[0] as PrismaClient);
  });

  afterAll(() => database?.close());

  async function idsOf(hostId: string, filter: Partial<HostBookingFilter> = {}) {
    const found = await hosts.list(hostId, { ...ALL, ...filter }, { limit: 100, after: null });
    return found.map(({ view }) => view.bookingId);
  }

  describe('lists of a host', () => {
    const starts = ['09', '10', '10', '10', '10', '11', '12'];
    const { hostId, one, other } = newHost();
    let earliestFirst: string[];

    beforeAll(async () => {
      const events = starts.map((hour, index) =>
        bookingEvent(1, hour === '11' ? 'AWAITING_APPROVAL' : 'REQUESTED', {
          ...newBooking(),
          hostId,
          spaceId: index % 2 === 0 ? one : other,
          slot: { startAt: at(hour), endAt: at('13') },
        }),
      );
      const stranger = { ...newBooking(), hostId: `host-${uuidv7()}`, spaceId: uuidv7() };
      await views.project([...events, bookingEvent(1, 'AWAITING_APPROVAL', stranger)]);
      earliestFirst = events
        .map(({ payload }) => payload)
        .sort((a, b) =>
          a.slot.startAt.getTime() === b.slot.startAt.getTime()
            ? a.bookingId.localeCompare(b.bookingId)
            : a.slot.startAt.getTime() - b.slot.startAt.getTime(),
        )
        .map(({ bookingId }) => bookingId);
    });

    test('a host’s bookings are listed earliest start first, without those of others', async () => {
      expect(await idsOf(hostId)).toEqual(earliestFirst);
    });

    test.each([1, 2, 3, 4])(
      'pages of %d bookings have each booking once, also those with equal starts',
      async (limit) => {
        const seen: string[] = [];
        for (let after: ViewPosition | null = null; ; ) {
          const page = await hosts.list(hostId, ALL, { limit, after });
          seen.push(...page.map(({ view }) => view.bookingId));
          const last = page.at(-1)?.view;
          if (!last?.startAt) break;
          after = { startAt: last.startAt, bookingId: last.bookingId };
        }
        expect(seen).toEqual(earliestFirst);
      },
    );

    test('a host’s bookings are listed by space, status and start', async () => {
      expect(await idsOf(hostId, { spaceId: one })).toHaveLength(4);
      expect(await idsOf(hostId, { spaceId: other })).toHaveLength(3);
      expect(await idsOf(hostId, { statuses: ['AWAITING_APPROVAL'] })).toEqual([earliestFirst[5]]);
      expect(await idsOf(hostId, { statuses: ['AWAITING_APPROVAL', 'REQUESTED'] })).toHaveLength(7);
      expect(await idsOf(hostId, { statuses: ['PAID'] })).toEqual([]);
      expect(await idsOf(hostId, { statuses: [] })).toEqual([]);
      expect(await idsOf(hostId, { startsFrom: at('10'), startsBefore: at('12') })).toEqual(
        earliestFirst.slice(1, 6),
      );
    });

    test('a page begins behind its cursor and not before the requested start', async () => {
      const { view } = (await hosts.list(hostId, ALL, { limit: 3, after: null }))[2] ?? {};
      if (!view?.startAt) throw new Error('there is no third booking');
      const after = { startAt: view.startAt, bookingId: view.bookingId };
      const page = async (startsFrom: Date, startsBefore: Date) => {
        const filter = { ...ALL, startsFrom, startsBefore };
        const found = await hosts.list(hostId, filter, { limit: 100, after });
        return found.map((each) => each.view.bookingId);
      };
      expect(await page(at('08'), at('12'))).toEqual(earliestFirst.slice(3, 6));
      expect(await page(at('11'), at('13'))).toEqual(earliestFirst.slice(5));
      expect(await page(at('08'), at('10'))).toEqual([]);
    });

    test('a host sees nothing of another host’s space', async () => {
      const stranger = `host-${uuidv7()}`;
      expect(await idsOf(stranger, { spaceId: one })).toEqual([]);
      expect(await idsOf(stranger)).toEqual([]);
      expect(await hosts.countAwaitingApproval(stranger)).toBe(0);
    });

    test('bookings that await the host’s decision are counted', async () => {
      expect(await hosts.countAwaitingApproval(hostId)).toBe(1);
    });
  });

  test.each([
    ['case', 'chulsoo', 'Chulsoo'],
    ['accent', 'jose', 'josé'],
  ])('hosts whose ids differ by %s do not see each other’s bookings', async (_what, one, other) => {
    const bookings = [one, other].map((hostId) => ({ ...newBooking(), hostId }));
    await views.project(bookings.map((booking) => bookingEvent(1, 'REQUESTED', booking)));
    expect(await idsOf(one)).toEqual([bookings[0]?.bookingId]);
    expect(await idsOf(other)).toEqual([bookings[1]?.bookingId]);
  });

  test('a booking is read with all that the host may know, and its timeline', async () => {
    const { hostId, one: spaceId } = newHost();
    const said = {
      headcount: 4,
      note: '케이크를 가져가요',
      requestedAt: new Date('2030-05-01T00:00:00.123Z'),
      decideBefore: new Date('2030-05-02T00:00:00.456Z'),
    };
    const booking = { ...newBooking(), hostId, spaceId, ...said };
    await views.project([bookingEvent(1, 'AWAITING_APPROVAL', booking)]);
    const [found] = await hosts.list(hostId, ALL, { limit: 1, after: null });
    expect(found?.view).toMatchObject({ hostId, spaceId, ...said });
    expect(found?.timeline.map(({ status }) => status)).toEqual(['AWAITING_APPROVAL']);
  });

  test('a report reads all bookings of a range once, also more than fit in memory at once', async () => {
    const { hostId, one: spaceId } = newHost();
    const count = 2_050;
    for (let done = 0; done < count; done += 205) {
      const events = Array.from({ length: 205 }, (_, n) =>
        bookingEvent(1, 'PAID', {
          ...newBooking(),
          hostId,
          spaceId,
          slot: { startAt: new Date(at('00').getTime() + (n % 7) * 60_000), endAt: at('23') },
        }),
      );
      await views.project(events);
    }
    const seen: string[] = [];
    const range = { spaceId: null, from: at('00'), to: at('01') };
    for await (const page of hosts.bookingsBetween(hostId, range)) {
      seen.push(...page.map(({ bookingId }) => bookingId));
    }
    expect(new Set(seen).size).toBe(count);
    expect(seen).toHaveLength(count);
  }, 60_000);

  test('a space is read as its newest event says, in any order of its events', async () => {
    for (const order of [
      [1, 2, 3],
      [3, 1, 2],
      [2, 3, 1],
    ]) {
      const { hostId, one: spaceId } = newHost();
      for (const version of order) {
        await views.project([spaceEvent(version, { spaceId, hostId, name: `Loft ${version}` })]);
      }
      const openingHours = spaceEvent(1).payload.openingHours;
      expect(await hosts.spaces(hostId, [spaceId, uuidv7()])).toEqual([
        {
          ...{ spaceId, hostId, name: 'Loft 3', timeZone: 'Asia/Seoul', state: 'ACTIVE' },
          ...{ openingHours, openingExceptions: [], version: 3 },
        },
      ]);
      const zones = new Map([[spaceId, 'Asia/Seoul']]);
      expect(await hosts.spaceZones(hostId, null)).toEqual(zones);
      expect(await hosts.spaceZones(hostId, spaceId)).toEqual(zones);
      for (const [stranger, wanted] of [
        [hostId, uuidv7()],
        [`host-${uuidv7()}`, spaceId],
      ] as const) {
        expect(await hosts.spaceZones(stranger, wanted)).toEqual(new Map());
        expect(await hosts.spaces(stranger, [wanted])).toEqual([]);
      }
    }
  });

  test('other requests have a turn before spaces and bookings are processed', async () => {
    const { hostId, one: spaceId } = newHost();
    const turn = () => {
      const taken = { isOver: false };
      setImmediate(() => {
        taken.isOver = true;
      });
      return taken;
    };
    const first = turn();
    await hosts.spaces(hostId, [spaceId]);
    expect(first.isOver).toBe(true);
    const second = turn();
    const range = { spaceId, from: at('09'), to: at('10') };
    for await (const page of hosts.bookingsBetween(hostId, range)) expect(page).toEqual([]);
    expect(second.isOver).toBe(true);
  });

  test('an event of a space is processed once, alone and twice in one batch', async () => {
    const { hostId, one: spaceId } = newHost();
    const listed = spaceEvent(1, { spaceId, hostId });
    expect(await views.project([listed, listed])).toEqual([]);
    expect(await views.project([listed])).toEqual([]);
    expect(await views.findRecorded([listed.id])).toEqual([listed.id]);
    expect(await hosts.spaces(hostId, [spaceId])).toHaveLength(1);
  });

  test('a payment’s event keeps the host that an earlier event named', async () => {
    const { hostId, one: spaceId } = newHost();
    const booking = { ...newBooking(), hostId, spaceId };
    await views.project([bookingEvent(1, 'REQUESTED', booking)]);
    await views.project([paymentEvent(2, 'APPROVED', booking)]);
    expect(await idsOf(hostId)).toEqual([booking.bookingId]);
  });
});
