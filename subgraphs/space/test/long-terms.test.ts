import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { graphql } from 'graphql';
import { readSubgraphSchema } from '#platform/graphql/subgraph-schema.ts';
import { resolvers } from '../src/adapters/resolvers.ts';
import { LONG_TERMS, type LongTerm, type Space } from '../src/domain/space.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';

let context: SpaceContext;
const statements: unknown[][] = [];

beforeAll(async () => {
  context = await openSpaceContext();
  const { pool } = context.database;
  const query = pool.query.bind(pool) as (...args: unknown[]) => unknown;
  pool.query = ((...args: unknown[]) => {
    statements.push(args);
    return query(...args);
  }) as typeof pool.query;
});
afterAll(() => context?.stop());

const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

test('the search reads no long term, and a page’s long terms are one statement', async () => {
  const address = 'long terms';
  const listed: Space[] = [];
  for (const count of [0, 1, 30]) {
    listed.push(
      await context.list({
        address,
        openingExceptions: many(count, (day) => ({
          date: `2031-01-${String(day + 1).padStart(2, '0')}`,
          hours: [{ opens: '09:00', closes: '12:00' }],
        })),
        priceRules: many(count, (rule) => ({ name: `rule ${rule}`, hourlyRate: rule })),
        addOns: many(count, () => ({ name: 'chair', unit: 'PER_HOUR', price: 1 })),
        amenities: many(count, (index) => `a "${index}", {}`),
        bookingRules: { minMinutes: 60 },
      }),
    );
  }
  const search = { text: address, minCapacity: null, maxHourlyRate: null, currency: null };
  const found = await context.ports.spaces.search(
    { ...search, freeDuring: null, amenities: null, hostId: null },
    { orderBy: 'NEWEST', limit: 10, after: null },
  );
  expect(found.map(({ id }) => id)).toEqual(listed.map(({ id }) => id).reverse());
  for (const space of found) for (const term of LONG_TERMS) expect(space).not.toHaveProperty(term);

  const read = (terms: readonly LongTerm[]) =>
    Promise.all(
      listed.map(async ({ id }) => {
        const values = terms.map((term) => context.ports.spaces.findTerm(id, term));
        return Object.fromEntries(
          (await Promise.all(values)).map((value, at) => [terms[at], value]),
        );
      }),
    );
  for (const terms of [LONG_TERMS, ['photos'], ['amenities', 'bookingRules']] as const) {
    statements.length = 0;
    const expected = listed.map((space) =>
      Object.fromEntries(terms.map((term) => [term, space[term]])),
    );
    expect(await read(terms)).toEqual(expected);
    expect(statements).toHaveLength(1);
  }
});

test('a page of the catalogue reads the long terms that are selected in one more statement', async () => {
  const address = 'pages';
  for (let listed = 0; listed < 5; listed += 1) {
    const photos = [{ url: `https://a.example/${listed}`, alt: '' }];
    await context.list({ address, photos, priceRules: [{ name: 'night', hourlyRate: listed }] });
  }
  const schema = buildSubgraphSchema({
    typeDefs: await readSubgraphSchema('subgraphs/space/schema.graphql'),
    resolvers: resolvers(context.ports) as never,
  });
  const read = async (fields: string) => {
    statements.length = 0;
    const source = `{ spaces(filter: {text: "${address}"}) { edges { node { ${fields} } } } }`;
    const contextValue = { principal: null };
    return graphql({ schema, source, contextValue });
  };
  const plain = await read('name includedHeadcount extraPersonHourlyRate { amount }');
  const node = { name: 'Loft', includedHeadcount: 10, extraPersonHourlyRate: { amount: 0 } };
  expect(plain).toEqual({ data: { spaces: { edges: Array(5).fill({ node }) } } });
  expect(statements).toHaveLength(1);
  const terms = `photos { url } priceRules { hourlyRate { amount currency } } addOns { price { amount } }
    amenities openingHours { day } openingExceptions { date } refundTiers { percent }
    bookingRules { stepMinutes }`;
  const whole = await read(terms);
  expect(statements).toHaveLength(2);
  expect(whole.errors).toBeUndefined();
  expect(whole).toMatchObject({
    data: {
      spaces: {
        edges: [4, 3, 2, 1, 0].map((listed) => ({
          node: {
            photos: [{ url: `https://a.example/${listed}` }],
            priceRules: [{ hourlyRate: { amount: listed, currency: 'KRW' } }],
            ...{ addOns: [], amenities: [], openingExceptions: [] },
            bookingRules: { stepMinutes: 30 },
          },
        })),
      },
    },
  });
});

test('a term that is not wanted is not read, and the next tick reads anew', async () => {
  const space = await context.list({ amenities: ['sauna'] });
  statements.length = 0;
  expect(await context.ports.spaces.findTerm(space.id, 'amenities')).toEqual(['sauna']);
  await context.database.query("UPDATE space SET amenities = '{bath}' WHERE id = $1", [space.id]);
  statements.length = 0;
  expect(await context.ports.spaces.findTerm(space.id, 'amenities')).toEqual(['bath']);
  expect(JSON.stringify(statements)).toContain('["amenities"]');
  expect(statements).toHaveLength(1);
});

test('a long term of a space that does not exist is a fault', async () => {
  const id = '01890000-0000-7000-8000-000000000000';
  await expect(context.ports.spaces.findTerm(id, 'photos')).rejects.toThrow(`${id} has no row`);
});
