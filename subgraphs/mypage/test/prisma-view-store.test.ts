import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { ViewPosition } from '../src/ports.ts';
import { bookingEvent, paymentEvent, registrationEvent, wholeHistory } from './a-history.ts';
import {
  newBooking,
  type OpenViews,
  openViews,
  projectAll,
  unstorable,
} from './a-view-database.ts';
import { engines } from './engines.ts';

describe.each(engines)('the views on $name', (engine) => {
  let database: OpenViews;
  let views: OpenViews['views'];

  beforeAll(async () => {
    database = await openViews(engine);
    views = database.views;
  });

  afterAll(() => database?.close());

  test('a stored view has the state of its events, with instants to the millisecond', async () => {
    const booking = newBooking();
    const slot = {
      startAt: new Date('2030-06-03T01:00:00.123Z'),
      endAt: new Date('2030-06-03T03:00:00.987Z'),
    };
    const history = wholeHistory({ ...booking, slot });
    await views.project(history);
    expect(await database.findView(booking)).toEqual(projectAll(history));
    expect(await database.readTimeline(booking)).toEqual([
      'REQUESTED',
      'PAID',
      'REGISTERED',
      'CANCELLING',
      'CANCELLED',
    ]);
    const ids = history.map(({ id }) => id);
    expect((await views.findRecorded([...ids, uuidv7()])).sort()).toEqual(ids.sort());
  });

  test('a stored view keeps names of the maximum length', async () => {
    const booking = { bookingId: uuidv7(), customerId: '가'.repeat(200) };
    await views.project(wholeHistory({ ...booking, spaceName: '나'.repeat(200) }));
    expect(await database.findView(booking)).toMatchObject({ spaceName: '나'.repeat(200) });
  });

  test('an event is projected once when it is delivered again, alone, together or twice in one batch', async () => {
    const booking = newBooking();
    const history = wholeHistory(booking);
    await views.project([...history, ...history]);
    await views.project(history);
    for (const event of history) await views.project([event]);
    expect(await database.findView(booking)).toEqual(projectAll(history));
    expect(await database.readTimeline(booking)).toHaveLength(5);
  });

  test('a stored view is the same when its events come one by one and backwards', async () => {
    const booking = newBooking();
    const history = wholeHistory(booking);
    for (const event of [...history].reverse()) await views.project([event]);
    expect(await database.findView(booking)).toEqual(projectAll(history));
    expect((await database.readTimeline(booking))?.[0]).toBe('REQUESTED');
  });

  test('a view without an event of its booking is not shown', async () => {
    const booking = newBooking();
    const early = [
      paymentEvent(2, 'APPROVED', booking),
      registrationEvent(1, 'REGISTERED', booking),
    ];
    await views.project(early);
    expect(await database.findView(booking)).toBeNull();
    const booked = bookingEvent(1, 'REQUESTED', booking);
    await views.project([booked]);
    expect(await database.findView(booking)).toMatchObject({
      paymentStatus: 'APPROVED',
      version: 3,
    });
  });

  test('views are written together with their events or not at all', async () => {
    const booking = newBooking();
    const good = bookingEvent(1, 'REQUESTED', booking);
    await expect(views.project([good, unstorable(newBooking())])).rejects.toThrow();
    expect(await database.findView(booking)).toBeNull();
    expect(await views.findRecorded([good.id])).toEqual([]);
    expect(await database.readTimeline(booking)).toEqual([]);
  });

  describe('lists of a customer', () => {
    const starts = ['09', '10', '10', '10', '10', '11', '12'];
    let customerId: string;
    let newestFirst: string[];

    beforeAll(async () => {
      customerId = `customer-${uuidv7()}`;
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
      await views.project([...events, bookingEvent(1, 'REQUESTED', newBooking())]);
      newestFirst = events
        .map(({ payload }) => payload)
        .sort((a, b) =>
          a.slot.startAt.getTime() === b.slot.startAt.getTime()
            ? b.bookingId.localeCompare(a.bookingId)
            : b.slot.startAt.getTime() - a.slot.startAt.getTime(),
        )
        .map(({ bookingId }) => bookingId);
    });

    const page = (limit: number, after: ViewPosition | null, statuses: string[] | null = null) =>
      views.list(customerId, { limit, after, statuses });

    test('a customer’s views are listed newest start first, without those of others', async () => {
      const all = await page(100, null);
      expect(all.map(({ bookingId }) => bookingId)).toEqual(newestFirst);
    });

    test.each([1, 2, 3, 4])(
      'pages of %d views have each view once, also those with equal starts',
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

    test('a customer’s views are listed by status', async () => {
      expect(await page(10, null, ['PAID'])).toHaveLength(1);
      expect(await page(10, null, ['PAID', 'REQUESTED'])).toHaveLength(7);
      expect(await page(10, null, ['EXPIRED'])).toEqual([]);
    });
  });

  test.each([
    ['case', 'chulsoo', 'Chulsoo'],
    ['accent', 'jose', 'josé'],
    ['the form of a letter', 'caf\u00e9', 'cafe\u0301'],
  ])(
    'customers whose ids differ by %s do not see each other’s views',
    async (_difference, one, other) => {
      const [mine, theirs] = [uuidv7(), uuidv7()];
      await views.project([
        bookingEvent(1, 'REQUESTED', { bookingId: mine, customerId: one }),
        bookingEvent(1, 'REQUESTED', { bookingId: theirs, customerId: other }),
      ]);
      const list = async (customerId: string) =>
        (await views.list(customerId, { limit: 10, after: null, statuses: null })).map(
          ({ bookingId }) => bookingId,
        );
      expect(await list(one)).toEqual([mine]);
      expect(await list(other)).toEqual([theirs]);
      expect(await views.find(one, theirs)).toBeNull();
      expect(await views.find(other, mine)).toBeNull();
    },
  );
});
