import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { nearStatement, rareStatement, searchStatement } from '../src/adapters/space-search.ts';
import { updateSpace } from '../src/application/update-space.ts';
import type { FoundSpace, Space } from '../src/domain/space.ts';
import type { SpaceOrder, SpacePage, SpaceSearch } from '../src/ports.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';

const EVERYTHING: SpaceSearch = {
  ...{ text: null, minCapacity: null, maxHourlyRate: null, currency: null, freeDuring: null },
  ...{ amenities: null, hostId: null },
};
const ORDERS: SpaceOrder[] = ['NEWEST', 'PRICE_LOW_FIRST', 'PRICE_HIGH_FIRST', 'NAME'];

let context: SpaceContext;

beforeAll(async () => {
  context = await openSpaceContext();
});
afterAll(() => context?.stop());

const search = (given: Partial<SpaceSearch>, page: Partial<SpacePage> = {}) =>
  context.ports.spaces.search(
    { ...EVERYTHING, ...given },
    { orderBy: 'NEWEST', limit: 100, after: null, ...page },
  );
const names = async (given: Partial<SpaceSearch>, page: Partial<SpacePage> = {}) =>
  (await search(given, page)).map(({ name }) => name);
async function setState(space: Space, state: Space['state']) {
  await updateSpace(
    context.ports,
    { userId: space.hostId, isHost: true, isOperator: false },
    { spaceId: space.id, expectedVersion: space.version, changes: { state } },
  );
}

describe('the orders of the catalogue', () => {
  test('each order compares its keys, and the time of listing where they are equal', async () => {
    const address = 'orders';
    await context.list({ address, name: 'b', hourlyRate: 20 });
    await context.list({ address, name: 'A', hourlyRate: 30 });
    await context.list({ address, name: '강', hourlyRate: 20 });
    await context.list({ address, name: 'a dollar', hourlyRate: 1, currency: 'USD' });
    await context.list({ address, name: 'B', hourlyRate: 10 });
    const ordered = (orderBy: SpaceOrder) => names({ text: address }, { orderBy });
    expect(await ordered('NEWEST')).toEqual(['B', 'a dollar', '강', 'A', 'b']);
    expect(await ordered('PRICE_LOW_FIRST')).toEqual(['B', 'b', '강', 'A', 'a dollar']);
    expect(await ordered('PRICE_HIGH_FIRST')).toEqual(['a dollar', 'A', '강', 'b', 'B']);
    expect(await ordered('NAME')).toEqual(['A', 'a dollar', 'b', 'B', '강']);
  });

  test.each(ORDERS)(
    'pages in the order %s lose and repeat no space while others are listed and changed',
    async (orderBy) => {
      const address = `pages-${orderBy}`;
      const list = (index: number) =>
        context.list({
          address,
          name: `room ${index % 3}`,
          hourlyRate: index % 4,
          currency: index % 2 ? 'KRW' : 'EUR',
        });
      const before: string[] = [];
      for (let index = 0; index < 12; index += 1) before.push((await list(index)).id);
      const expected = (await search({ text: address }, { orderBy })).map(({ id }) => id);
      const seen: FoundSpace[] = [];
      for (let after: FoundSpace | null = null; ; ) {
        const page: FoundSpace[] = await search({ text: address }, { orderBy, limit: 2, after });
        seen.push(...page);
        after = page.at(-1) ?? null;
        if (page.length < 2) break;
        await list(seen.length);
      }
      const ids = seen.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.filter((id) => before.includes(id))).toEqual(expected);
    },
  );

  test('a page ends where the order saw its last space, though its rate changes meanwhile', async () => {
    const address = 'moving';
    const moving = await context.list({ address, name: 'first', hourlyRate: 1 });
    await context.list({ address, name: 'second', hourlyRate: 2 });
    const page = { orderBy: 'PRICE_LOW_FIRST', limit: 1 } as const;
    const [after] = await search({ text: address }, page);
    await context.database.query('UPDATE space SET hourly_rate = 9 WHERE id = $1', [moving.id]);
    expect(await names({ text: address }, { ...page, after: after as FoundSpace })).toEqual([
      'second',
    ]);
  });
});

describe('the filters of the catalogue', () => {
  test('a search by amenities finds the spaces that have all of them, in any case, with a text or without', async () => {
    const address = 'amenities';
    const word = `Wi-Fi ${uuidv7()}`;
    await context.list({ address, name: 'all', amenities: [word, 'Cafe\u0301', '주차'] });
    await context.list({ address, name: 'some', amenities: [word.toUpperCase()] });
    await context.list({ address, name: 'none' });
    for (const text of [address, null]) {
      const found = (...amenities: string[]) => names({ text, amenities });
      expect(await found(word.toLowerCase())).toEqual(['some', 'all']);
      expect(await found(word, ' 주차 ', 'CAF\u00c9')).toEqual(['all']);
      expect(await found(word.slice(0, 9))).toEqual([]);
    }
  });

  test('a search by currency and rate finds the spaces of that currency alone', async () => {
    const address = 'currencies';
    await context.list({ address, name: 'won', hourlyRate: 20_000 });
    await context.list({ address, name: 'cents', hourlyRate: 2_000, currency: 'USD' });
    await context.list({ address, name: 'many cents', hourlyRate: 30_000, currency: 'USD' });
    const found = (given: Partial<SpaceSearch>) => names({ text: address, ...given });
    expect(await found({ currency: 'USD' })).toEqual(['many cents', 'cents']);
    expect(await found({ currency: 'USD', maxHourlyRate: 2_000 })).toEqual(['cents']);
    expect(await found({ maxHourlyRate: 20_000 })).toEqual(['cents', 'won']);
  });

  test('archived spaces are found by their host alone, paused ones by everybody', async () => {
    const address = 'states';
    const [active, paused, archived] = [
      await context.list({ address, name: 'active' }),
      await context.list({ address, name: 'paused' }),
      await context.list({ address, name: 'archived' }),
    ];
    await setState(paused, 'PAUSED');
    await setState(archived, 'ARCHIVED');
    expect(await names({ text: address })).toEqual(['paused', 'active']);
    const { hostId } = active;
    expect(await names({ text: address, hostId })).toEqual(['archived', 'paused', 'active']);
    expect(await names({ text: address, hostId: 'lee' })).toEqual([]);
  });
});

describe('the catalogue of 40,000 spaces', () => {
  beforeAll(async () => {
    await context.list({ name: 'row', amenities: ['common'] });
    // Its upkeep takes most of the time, and these tests search no text.
    await context.database.query('DROP INDEX space_text');
    for (let batch = 0; batch < 20; batch += 1) {
      await context.database.query(
        `INSERT INTO space (id, host_id, name, description, address, time_zone, capacity, hourly_rate,
                currency, opening_hours, refund_tiers, version, listed_at, state, amenity_keys)
         SELECT gen_random_uuid(), 'host ' || n % 500, 'row ' || n, '', '', 'UTC', 1 + n % 100,
                n % 5000, 'KRW', '[]', '[]', 1, now(),
                (CASE WHEN n % 7 = 0 THEN 'ARCHIVED' ELSE 'ACTIVE' END)::space_state,
                CASE WHEN n % 1000 = 0 THEN '{common,rare}'::text[] ELSE '{common}' END
           FROM generate_series($1::int, $2) n`,
        [batch * 2_000 + 1, batch * 2_000 + 2_000],
      );
    }
    await context.database.query('ANALYZE space');
  }, 120_000);

  async function explain(
    given: Partial<SpaceSearch>,
    page: Partial<SpacePage> = {},
    statement = searchStatement,
  ) {
    const { text, values } = statement(
      { ...EVERYTHING, ...given },
      { orderBy: 'NEWEST', limit: 21, after: null, ...page },
    );
    const rows = await context.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  test.each<[SpaceOrder, string]>([
    ['NEWEST', 'Index Scan Backward using space_newest'],
    ['PRICE_LOW_FIRST', 'Index Scan using space_price'],
    ['PRICE_HIGH_FIRST', 'Index Scan Backward using space_price'],
    ['NAME', 'Index Scan using space_name'],
  ])(
    'every page in the order %s reads its index from the place of the cursor',
    async (orderBy, plan) => {
      const after = { id: uuidv7(), name: 'row 5000', currency: 'KRW', hourlyRate: 2_500 } as const;
      expect(await explain({}, { orderBy })).toContain(plan);
      const next = await explain({}, { orderBy, after });
      expect(next).toContain(plan);
      expect(next).toContain('Index Cond');
      for (const page of [await explain({}, { orderBy }), next]) expect(page).not.toContain('Sort');
    },
  );

  test('a search for large rooms, the spaces of one host or cheap ones reads an index', async () => {
    expect(await explain({ minCapacity: 101 })).toContain('space_capacity_idx');
    expect(await explain({ hostId: 'host 7' })).toContain('space_host_id_id_idx');
    expect(await explain({ hostId: 'host 7' }, { orderBy: 'NAME' })).toContain(
      'space_host_id_id_idx',
    );
    expect(
      await explain({ currency: 'KRW', maxHourlyRate: 3 }, { orderBy: 'PRICE_LOW_FIRST' }),
    ).toContain('space_price');
  });

  test.each(ORDERS)(
    'a search by amenities in the order %s reads the first spaces, and then the index of amenities',
    async (orderBy) => {
      for (const amenities of [['rare'], ['common'], ['missing']]) {
        const near = await explain({ amenities }, { orderBy }, nearStatement);
        expect(near).toMatch(/Index Scan( Backward)? using space_(newest|price|name)/);
        expect(near).not.toContain('Sort');
      }
      for (const amenities of [['rare'], ['missing'], ['common', 'rare']]) {
        const rare = await explain({ amenities }, { orderBy }, rareStatement);
        expect(rare).toContain('Bitmap Index Scan on space_amenities');
        expect(rare).not.toMatch(/using space_(newest|price|name)|Seq Scan/);
      }
    },
  );

  test.each(ORDERS)(
    'pages of a rare amenity in the order %s have all of its spaces',
    async (orderBy) => {
      const keys = {
        ...{ NEWEST: 'id DESC', PRICE_LOW_FIRST: 'hourly_rate, id' },
        ...{ PRICE_HIGH_FIRST: 'hourly_rate DESC, id DESC', NAME: 'name COLLATE "C", id' },
      };
      const rare = await context.database.query<{ id: string }>(
        `SELECT id FROM space WHERE 'rare' = ANY(amenity_keys) AND state <> 'ARCHIVED'
        ORDER BY ${keys[orderBy]}`,
      );
      const expected = rare.map(({ id }) => id);
      expect(expected.length).toBeGreaterThan(20);
      const found: string[] = [];
      for (let after: FoundSpace | null = null; ; ) {
        const page: FoundSpace[] = await search(
          { amenities: ['RARE'] },
          { orderBy, limit: 9, after },
        );
        found.push(...page.map(({ id }) => id));
        after = page.at(-1) ?? null;
        if (page.length < 9) break;
      }
      expect(found).toEqual(expected);
    },
  );
});
