import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { until } from '../../../tests/support/system.ts';
import { postgresCalendars } from '../src/adapters/postgres-calendars.ts';
import { type CalendarSlots, readCalendars } from '../src/application/read-calendars.ts';
import { legal } from './a-booking.ts';
import {
  aBlock,
  type CalendarStores,
  HOST,
  openCalendarStores,
  RULES,
  STEP_MINUTES,
} from './calendar-stores.ts';
import { type BookingDatabase, hours, times } from './prisma-booking-store/booking-database.ts';

/** From midnight to 10:00 of the fixtures' day: `hours(0, 10)`. */
const RANGE = hours(0, 10);
const START_MS = RANGE.startAt.getTime();

let book: BookingDatabase;
let stores: CalendarStores['stores'];
let storeSpace: CalendarStores['storeSpace'];
let newSpace: CalendarStores['newSpace'];
let insert: CalendarStores['insert'];

beforeAll(async () => {
  ({ book, stores, storeSpace, newSpace, insert } = await openCalendarStores());
});
afterAll(() => book?.close());

// When a time of the grid passes, the version rises: no test runs across one.
beforeEach(async () => {
  const stepMs = STEP_MINUTES * 60_000;
  await until('no time of the grid is near', async () => stepMs - (Date.now() % stepMs) > 10_000);
});

async function read({ id }: { id: string }, after?: number): Promise<CalendarSlots> {
  const query = { spaceId: id, from: RANGE.startAt, to: RANGE.endAt, after };
  const [found] = await readCalendars(postgresCalendars(book.database.pool), [query]);
  if (!found) throw new Error('there is no such space');
  return found;
}

/** The hours that are free, such as `0-4 6-10`. */
const free = ({ slots }: CalendarSlots) =>
  slots
    ?.map(({ startAt, endAt }) =>
      [startAt, endAt].map((at) => (at.getTime() - START_MS) / 3_600_000).join('-'),
    )
    .join(' ');

describe('the version of a calendar', () => {
  test('a calendar that does not change keeps its version, and its slots are not computed again', async () => {
    const space = await newSpace();
    const first = await read(space);
    expect(free(first)).toBe('0-10');
    expect(first.version).toBe(1);
    expect(await read(space, 1)).toEqual({ version: 1, slots: null });
    expect(await read(space)).toEqual(first);
    expect(await read(space, 7)).toEqual(first);
  });

  test('a booking raises the version, and so does the end of its hold by a decline', async () => {
    const space = await newSpace();
    await read(space);
    const booking = await insert(space, 4, 6);
    const booked = await read(space, 1);
    expect([booked.version, free(booked)]).toEqual([2, '0-4 6-10']);
    const declined = legal(booking.declinePayment());
    expect(await stores.bookings.save(booking, declined)).toBe('saved');
    const released = await read(space, 2);
    expect([released.version, free(released)]).toEqual([3, '0-10']);
  });

  test('a status that keeps the hold does not raise the version', async () => {
    const space = await newSpace();
    const booking = await insert(space, 4, 6);
    expect((await read(space)).version).toBe(1);
    await stores.bookings.save(booking, legal(booking.approvePayment()));
    expect(await read(space, 1)).toEqual({ version: 1, slots: null });
  });

  test('a hold raises the version when it expires, and not once more when it is released', async () => {
    const space = await newSpace();
    const booking = await insert(space, 4, 6);
    await read(space);
    await book.endHold(booking);
    const expired = await read(space, 1);
    expect([expired.version, free(expired)]).toEqual([2, '0-10']);
    const { holdExpiresAt } = booking.state;
    await stores.bookings.save(booking, legal(booking.expire(holdExpiresAt)));
    expect(await book.countLive(space.id)).toBe(0);
    expect(await read(space, 2)).toEqual({ version: 2, slots: null });
  });

  test('a block raises the version, and so does its removal', async () => {
    const space = await newSpace();
    await read(space);
    const block = aBlock(space, 1, 3);
    expect(await stores.blocks.insert(block, 10, HOST)).toBe('saved');
    const blocked = await read(space, 1);
    expect([blocked.version, free(blocked)]).toEqual([2, '0-1 3-10']);
    expect(await stores.blocks.remove(block, HOST)).toBe(true);
    const opened = await read(space, 2);
    expect([opened.version, free(opened)]).toEqual([3, '0-10']);
  });

  test('a change of the space raises the version', async () => {
    const space = await newSpace();
    await insert(space, 4, 6);
    await read(space);
    const bookingRules = { ...RULES, bufferBeforeMinutes: 60 };
    await storeSpace({ ...space, bookingRules, version: 2 });
    const changed = await read(space, 1);
    expect([changed.version, free(changed)]).toEqual([2, '0-4 7-10']);
    await storeSpace({ ...space, state: 'ARCHIVED', version: 3 });
    expect(await read(space, 2)).toEqual({ version: 3, slots: [] });
  });

  test('a booking in the buffer beyond the range counts', async () => {
    const space = await newSpace({ bookingRules: { ...RULES, bufferAfterMinutes: 60 } });
    const plain = { ...space, bookingRules: RULES };
    await insert(plain, 10, 12);
    expect(free(await read(space))).toBe('0-9');
  });

  test('time raises the version when the first bookable time passes', async () => {
    const now = Date.now();
    const space = await newSpace();
    const query = {
      ...{ spaceId: space.id, from: new Date(now - 60_000), to: new Date(now + 3_600_000) },
    };
    const calendars = postgresCalendars(book.database.pool);
    const [first] = await readCalendars(calendars, [query]);
    // As if it had been read a minute ago.
    await book.database.query(
      `UPDATE space_calendar SET fingerprint = regexp_replace(fingerprint, '(\\d+) (\\d+)$',
              ($2::bigint - 60000)::text || ' \\2') WHERE space_id = $1`,
      [space.id, first?.slots?.[0]?.startAt.getTime()],
    );
    const [second] = await readCalendars(calendars, [{ ...query, after: 1 }]);
    expect(second?.version).toBe(2);
    expect(second?.slots).toHaveLength(1);
  });
});

describe('readers of calendars', () => {
  test('ten readers at once assign one version to one change, and all see its slots', async () => {
    const space = await newSpace();
    const first = await Promise.all(times(10, () => read(space)));
    expect(new Set(first.map(({ version }) => version))).toEqual(new Set([1]));
    await insert(space, 4, 6);
    const second = await Promise.all(times(10, () => read(space, 1)));
    expect(second.map((each) => [each.version, free(each)])).toEqual(
      times(10, () => [2, '0-4 6-10']),
    );
  });

  test('readers next to bookings never see one version with two states, nor a version fall', async () => {
    const space = await newSpace();
    const states = new Map<number, string | undefined>();
    let isDone = false;
    const reading = times(4, async () => {
      for (let last = 0; !isDone; ) {
        const found = await read(space);
        expect(found.version).toBeGreaterThanOrEqual(last);
        last = found.version;
        expect(states.get(last) ?? free(found)).toBe(free(found));
        states.set(last, free(found));
      }
    });
    for (const hour of times(10, (n) => n)) await insert(space, hour, hour + 0.5);
    isDone = true;
    await Promise.all(reading);
    expect((await read(space)).slots).toHaveLength(10);
  });

  test('one request reads many spaces and ranges, in their order; unknown spaces have no result', async () => {
    const [first, second] = [await newSpace(), await newSpace()];
    await insert(first, 0, 1);
    await insert(second, 9, 10);
    const query = (spaceId: string, from: number, to: number) => {
      const { startAt, endAt } = hours(from, to);
      return { spaceId, from: startAt, to: endAt };
    };
    const queries = [
      query(second.id, 0, 10),
      query(uuidv7(), 0, 10),
      query(first.id, 0, 2),
      query(second.id, 8, 10),
      query(first.id, 5, 6),
    ];
    const calendars = postgresCalendars(book.database.pool);
    for (const _ of ['the first time', 'again']) {
      const found = await readCalendars(calendars, queries);
      expect(found.map((each) => each && free(each))).toEqual(['0-9', null, '1-2', '8-9', '5-6']);
    }
    expect(await calendars.read([])).toEqual([]);
  });

  test('readers of the same spaces in other orders do not wait for each other for ever', async () => {
    const spaces = await Promise.all(times(8, () => newSpace()));
    const calendars = postgresCalendars(book.database.pool);
    for (const round of times(3, (n) => n)) {
      for (const space of spaces) await insert(space, round, round + 0.5);
      const found = await Promise.all(
        times(6, (n) => {
          const ordered = n % 2 ? spaces : [...spaces].reverse();
          return calendars.read(
            ordered.map(({ id }) => ({ spaceId: id, from: RANGE.startAt, to: RANGE.endAt })),
          );
        }),
      );
      for (const each of found.flat()) expect(each?.version).toBe(round + 1);
    }
  });
});
