import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { searchStatement } from '../src/adapters/space-search.ts';
import type { PublishedBooking } from '../src/domain/published-booking.ts';
import type { SpacePage, SpaceSearch } from '../src/ports.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';

const EVERYTHING: SpaceSearch = {
  text: null,
  minCapacity: null,
  maxHourlyRate: null,
  currency: null,
  freeDuring: null,
  amenities: null,
  hostId: null,
};
const page = (limit: number): SpacePage => ({ orderBy: 'NEWEST', limit, after: null });
const HOUR_MS = 3_600_000;
const START = Date.UTC(2030, 5, 3);
const hours = (from: number, to: number) => ({
  startAt: new Date(START + from * HOUR_MS),
  endAt: new Date(START + to * HOUR_MS),
});

let context: SpaceContext;

beforeAll(async () => {
  context = await openSpaceContext();
});

afterAll(() => context?.stop());

async function explain(search: Partial<SpaceSearch>): Promise<string> {
  const { text, values } = searchStatement({ ...EVERYTHING, ...search }, page(21));
  const rows = await context.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('the search by text', () => {
  test('a search by text finds exactly the spaces with the text, in any case, in order', async () => {
    // Few characters, so that texts contain each other; some are patterns of LIKE.
    const character = fc.constantFrom(
      ...['a', 'B', 'b', '강', '남', 'É', 'é', '%', '_', '\\', ' ', "'", '🎉'],
    );
    const words = (minLength: number, maxLength: number) =>
      fc.array(character, { minLength, maxLength }).map((all) => all.join(''));
    await Promise.all(
      fc
        .sample(fc.tuple(words(1, 12), words(0, 12), words(0, 12)), { numRuns: 150, seed: 7 })
        .filter(([name]) => name.trim() !== '')
        .map(([name, description, address]) => context.list({ name, description, address })),
    );
    await fc.assert(
      fc.asyncProperty(words(1, 5), async (text) => {
        fc.pre(text.trim() !== '');
        const wanted = text.trim();
        const found = await context.ports.spaces.search(
          { ...EVERYTHING, text: wanted },
          page(1_000),
        );
        const expected = await context.database.query<{ id: string }>(
          `SELECT id FROM space
            WHERE strpos(lower(name || E'\\n' || description || E'\\n' || address), lower($1)) > 0
            ORDER BY id DESC`,
          [wanted],
        );
        expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  test('a search for a rare text uses the index among 30,000 spaces, also with two characters', async () => {
    const { id } = await context.list({ name: '을지로 Zq 다락방' });
    for (let batch = 0; batch < 15; batch += 1) {
      await context.database.query(
        `INSERT INTO space SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(),
                'name', 'room ' || n, 'description', 'a bright room for many'))).*
           FROM space s, generate_series(1, 2000) n WHERE s.id = $1`,
        [id],
      );
    }
    await context.database.query('ANALYZE space');
    for (const text of ['다락방', 'zq', '락']) {
      expect(await explain({ text })).toContain('Bitmap Index Scan on space_text');
      const found = await context.ports.spaces.search({ ...EVERYTHING, text }, page(10));
      expect(found.map((space) => space.id)).toEqual([id]);
    }
    await context.database.query("DELETE FROM space WHERE name LIKE 'room %'");
  }, 60_000);
});

describe('the search by free time', () => {
  test('a search by free time excludes exactly the spaces that are occupied in the range', async () => {
    const [free, occupied] = [
      await context.list({ name: 'search free' }),
      await context.list({ name: 'search occupied' }),
    ];
    const insertSlot = (spaceId: string, from: number, to: number, live: boolean) =>
      context.database.query(
        `INSERT INTO occupied_slot (booking_id, space_id, start_at, end_at, live, version)
         VALUES (gen_random_uuid(), $1, $2, $3, $4, 1)`,
        [spaceId, hours(from, to).startAt, hours(from, to).endAt, live],
      );
    await insertSlot(occupied.id, 2, 4, true);
    await insertSlot(occupied.id, 5, 6, false);
    await insertSlot(free.id, 2, 4, false);
    const found = async (from: number, to: number) => {
      const search = { ...EVERYTHING, text: 'search ', freeDuring: hours(from, to) };
      return (await context.ports.spaces.search(search, page(10))).map(({ name }) => name);
    };
    expect(await found(3, 5)).toEqual(['search free']);
    expect(await found(0, 2)).toEqual(['search occupied', 'search free']);
    expect(await found(4, 7)).toEqual(['search occupied', 'search free']);
  });

  test('a search by free time counts the buffers around a booking, and not beyond them', async () => {
    const space = await context.list({ name: 'buffered' });
    const booking: PublishedBooking = {
      ...{ bookingId: uuidv7(), spaceId: space.id, status: 'PAID', version: 1 },
      slot: hours(10, 12),
      hold: hours(8, 13),
    };
    await context.ports.spaces.storeOccupancy(booking, uuidv7());
    const isFree = async (from: number, to: number) => {
      const search = { ...EVERYTHING, text: 'buffered', freeDuring: hours(from, to) };
      return (await context.ports.spaces.search(search, page(10))).length === 1;
    };
    expect(await isFree(7, 8)).toBe(true);
    expect(await isFree(7, 9)).toBe(false);
    expect(await isFree(10, 12)).toBe(false);
    expect(await isFree(12, 14)).toBe(false);
    expect(await isFree(13, 14)).toBe(true);
    const moved = { ...booking, hold: undefined, version: 2 };
    await context.ports.spaces.storeOccupancy(moved, uuidv7());
    expect([await isFree(8, 10), await isFree(11, 12)]).toEqual([true, false]);
    await context.ports.spaces.storeOccupancy(booking, uuidv7());
    expect(await isFree(8, 10)).toBe(true);
  });

  test('a search by free time keeps the space’s own buffers free, also behind a buffered booking', async () => {
    const [plain, wide] = [
      await context.list({ name: 'own none' }),
      await context.list({
        name: 'own wide',
        bookingRules: { bufferBeforeMinutes: 1_440, bufferAfterMinutes: 60 },
      }),
    ];
    for (const { id } of [plain, wide]) {
      const booking: PublishedBooking = {
        ...{ bookingId: uuidv7(), spaceId: id, status: 'PAID', version: 1 },
        slot: hours(50, 52),
        hold: hours(26, 76),
      };
      await context.ports.spaces.storeOccupancy(booking, uuidv7());
    }
    const found = async (from: number, to: number) => {
      const search = { ...EVERYTHING, text: 'own ', freeDuring: hours(from, to) };
      return (await context.ports.spaces.search(search, page(10))).map(({ name }) => name);
    };
    expect(await found(23, 25)).toEqual(['own wide', 'own none']);
    expect(await found(24, 25.5)).toEqual(['own none']);
    expect(await found(24, 26.5)).toEqual([]);
    expect(await found(75, 77)).toEqual([]);
    expect(await found(76, 78)).toEqual(['own none']);
    expect(await found(99.5, 101)).toEqual(['own none']);
    expect(await found(100, 101)).toEqual(['own wide', 'own none']);
  });

  test('a search by free time finds no paused space, not even for its host', async () => {
    const space = await context.list({ name: 'resting' });
    const found = async (given: Partial<SpaceSearch>) =>
      (await context.ports.spaces.search({ ...EVERYTHING, text: 'resting', ...given }, page(10)))
        .length;
    const freeDuring = hours(1, 2);
    expect(await found({ freeDuring })).toBe(1);
    await context.database.query("UPDATE space SET state = 'PAUSED' WHERE id = $1", [space.id]);
    expect([await found({}), await found({ freeDuring })]).toEqual([1, 0]);
    expect(await found({ freeDuring, hostId: space.hostId })).toBe(0);
  });

  test('a search by free time excludes a space while its host blocks it, in any order of the events', async () => {
    const space = await context.list({ name: 'blocked' });
    const block = { blockId: uuidv7(), spaceId: space.id, slot: hours(2, 4) };
    const store = (isBlocked: boolean, version: number) =>
      context.ports.spaces.storeOccupancy({ ...block, isBlocked, version }, uuidv7());
    const isFree = async () => {
      const search = { ...EVERYTHING, text: 'blocked', freeDuring: hours(3, 5) };
      return (await context.ports.spaces.search(search, page(10))).length === 1;
    };
    await store(true, 1);
    expect(await isFree()).toBe(false);
    await store(false, 2);
    expect(await isFree()).toBe(true);
    await store(true, 1);
    expect(await isFree()).toBe(true);
  });

  test('a search by free time probes the index of live slots among 600,000, and never reads them all', async () => {
    const { database } = context;
    await database.query('TRUNCATE occupied_slot');
    // Nine of ten bookings no longer occupy their slot.
    for (let batch = 0; batch < 12; batch += 1) {
      await database.query(
        `INSERT INTO occupied_slot (booking_id, space_id, start_at, end_at, live, version, status)
         SELECT gen_random_uuid(), s.id, $1::timestamptz + n * interval '2 hours',
                $1::timestamptz + n * interval '2 hours' + interval '1 hour', n % 10 = 0, 3, 'PAID'
           FROM (SELECT id FROM space ORDER BY id LIMIT 100) s, generate_series($2::int, $3) n`,
        [new Date(START), batch * 500 + 1, batch * 500 + 500],
      );
    }
    await database.query('ANALYZE occupied_slot');
    for (const freeDuring of [hours(2, 3), hours(0, 24 * 400), hours(24 * 1_000, 24 * 1_001)]) {
      const plan = await explain({ freeDuring });
      expect(plan).toContain('Index Scan using occupied_slot_live');
      expect(plan).toContain('space_id = s.id');
      expect(plan).not.toContain('Seq Scan on occupied_slot');
    }
  }, 120_000);
});
