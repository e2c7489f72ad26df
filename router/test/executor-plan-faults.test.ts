import { afterEach, describe, expect, test } from '@jest/globals';
import { GraphQLError, parse } from 'graphql';
import { Executor } from '../src/executor/executor.ts';
import type { Subgraph } from '../src/executor/subgraph.ts';
import { type Federation, federate } from './federation/executors.ts';
import { type FixtureSubgraph, RunningSubgraph } from './federation/subgraph.ts';

// Small supergraphs whose plans lose or mix up values; the gateway's executor answers them wrongly.

let federation: Federation | undefined;
afterEach(() => federation?.stop());

const link = (...imports: string[]) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ${JSON.stringify(imports)})`;

async function expectAnswer(
  subgraphs: FixtureSubgraph[],
  query: string,
  data: object,
): Promise<void> {
  federation = await federate(subgraphs);
  const own = await federation.execute('own', query);
  expect(own.errors).toBeUndefined();
  expect(own.data).toEqual(data);
  const stock = await federation.execute('stock', query);
  expect(stock.errors).toBeUndefined();
  expect(stock.data).not.toEqual(data);
}

describe('a fragment on the only type that the fetched subgraph has', () => {
  const book = { __typename: 'Book', title: 'Emma' };

  test('is applied where the supergraph has a union', async () => {
    const subgraphs = [
      {
        name: 'a',
        typeDefs: `${link('@shareable')}
          type Query { found: Book @shareable }
          type Book @shareable { title: String }`,
        resolvers: { Query: { found: () => book } },
      },
      {
        name: 'b',
        typeDefs: `${link('@shareable')}
          type Query { found: Found @shareable }
          union Found = Book | Film
          type Book @shareable { title: String }
          type Film { minutes: Int }`,
        resolvers: { Query: { found: () => book } },
      },
    ];
    await expectAnswer(subgraphs, '{ found { ... on Book { title } } }', {
      found: { title: 'Emma' },
    });
  });
});

test('two selections of __schema are answered as one', async () => {
  const subgraphs = [{ name: 'a', typeDefs: 'type Query { a: Int }', resolvers: {} }];
  await expectAnswer(
    subgraphs,
    '{ __schema { queryType { name } } ...S } fragment S on Query { __schema { queryType { kind } mutationType { name } } }',
    { __schema: { queryType: { name: 'Query', kind: 'OBJECT' }, mutationType: null } },
  );
});

describe('fields that require one field with different arguments', () => {
  const price = ({ sku }: { sku: string }, { currency }: { currency: string }) =>
    Number(sku) * (currency === 'EUR' ? 2 : 1);
  const resolve = (product: object) => product;
  const subgraphs: FixtureSubgraph[] = [
    {
      name: 'prices',
      typeDefs: `${link('@key', '@shareable')}
        type Query { product: Product }
        type Product @key(fields: "sku") { sku: ID! price(currency: String!): Int next: Product }`,
      resolvers: {
        Query: { product: () => ({ sku: '10' }) },
        Product: { __resolveReference: resolve, price, next: () => ({ sku: '30' }) },
      },
    },
    {
      name: 'currencies',
      typeDefs: `${link('@key', '@requires', '@external')}
        type Product @key(fields: "sku") {
          sku: ID! price(currency: String!): Int @external next: Product @external
          usd: Int @requires(fields: "price(currency: \\"USD\\")")
          eur: Int @requires(fields: "price(currency: \\"EUR\\")")
          nextEur: Int @requires(fields: "next { price(currency: \\"EUR\\") }")
        }`,
      resolvers: {
        Product: {
          __resolveReference: resolve,
          usd: ({ price }: { price: number }) => price,
          eur: ({ price }: { price: number }) => price,
          nextEur: ({ next }: { next: { price: number } }) => next.price,
        },
      },
    },
    {
      name: 'cents',
      typeDefs: `${link('@key', '@requires', '@external')}
        type Product @key(fields: "sku") {
          sku: ID! usd: Int @external eur: Int @external
          usdCents: Int @requires(fields: "usd") eurCents: Int @requires(fields: "eur")
        }`,
      resolvers: {
        Product: {
          __resolveReference: resolve,
          usdCents: ({ usd }: { usd: number }) => usd * 100,
          eurCents: ({ eur }: { eur: number }) => eur * 100,
        },
      },
    },
  ];

  test.each([
    [
      'through other fields',
      '{ product { usdCents eurCents } }',
      { usdCents: 1000, eurCents: 2000 },
    ],
    ['through one other field', '{ product { usdCents eur } }', { usdCents: 1000, eur: 20 }],
    [
      'of another object',
      '{ product { nextEur next { usd } } }',
      { nextEur: 60, next: { usd: 30 } },
    ],
    [
      'in fragments that stand at several places',
      '{ product { ...A next { ...A } } } fragment A on Product { usd ...B } fragment B on Product { eur }',
      { usd: 10, eur: 20, next: { usd: 30, eur: 60 } },
    ],
  ])('have the right values: %s', async (_, query, product) => {
    await expectAnswer(subgraphs, query, { product });
  });

  test('are planned together where they are of different objects', async () => {
    federation = await federate(subgraphs);
    const { data, requests } = await federation.execute('own', '{ product { usd next { eur } } }');
    expect(data).toEqual({ product: { usd: 10, next: { eur: 60 } } });
    expect(requests.filter(({ query }) => /\{\s*product\b/.test(query))).toHaveLength(1);
  });

  test.each([0, 1])('are an error each where request %i of the object fails', async (failing) => {
    let requests = 0;
    federation = await federate(subgraphs);
    const [prices, currencies, cents] = subgraphs.map((each) => new RunningSubgraph(each, []));
    const failingOnce: Subgraph<object> = {
      async send(request) {
        const isOfObject = /\{\s*product\b/.test(request.query);
        if (isOfObject && requests++ === failing) throw new GraphQLError('prices do not respond');
        return (prices as RunningSubgraph).send(request);
      },
    };
    const own = new Executor<object>({
      supergraphSdl: federation.supergraphSdl,
      subgraphs: { prices: failingOnce, currencies, cents } as never,
    });
    const prepared = own.prepare(parse('{ product { sku usd eur } }'));
    if ('errors' in prepared) throw prepared.errors[0];
    const { data, errors } = await own.execute(prepared, { context: {} });
    const lost = failing === 0 ? 'usd' : 'eur';
    expect(data).toMatchObject({ product: { [lost]: null } });
    expect(errors?.map(({ message, path }) => [message, path?.join('.')])).toContainEqual([
      'prices do not respond',
      `product.${lost}`,
    ]);
  });

  test('are refused where one field requires both', async () => {
    const both: FixtureSubgraph = {
      name: 'sums',
      typeDefs: `${link('@key', '@requires', '@external')}
        type Product @key(fields: "sku") {
          sku: ID! usd: Int @external eur: Int @external sum: Int @requires(fields: "usd eur")
        }`,
      resolvers: { Product: { __resolveReference: resolve } },
    };
    federation = await federate([...subgraphs, both]);
    const { data, errors } = await federation.execute('own', '{ product { sum } }');
    expect(data).toBeUndefined();
    expect(errors?.[0]?.message).toContain('"sum" requires one field with different arguments');
  });

  test('may require a value that changes between the plans', async () => {
    let reads = 0;
    const changing: FixtureSubgraph[] = [
      {
        name: 'parcels',
        typeDefs: `${link('@key')}
          type Query { parcel: Parcel }
          type Parcel @key(fields: "id") { id: ID! weight(unit: String!): Int clock: Int }`,
        resolvers: {
          Query: { parcel: () => ({ id: 'p1' }) },
          Parcel: {
            __resolveReference: resolve,
            weight: (_: object, { unit }: { unit: string }) => (unit === 'KG' ? 1 : 2),
            clock: () => ++reads,
          },
        },
      },
      {
        name: 'postage',
        typeDefs: `${link('@key', '@requires', '@external')}
          type Parcel @key(fields: "id") {
            id: ID! weight(unit: String!): Int @external clock: Int @external
            metric: Int @requires(fields: "weight(unit: \\"KG\\") clock")
            imperial: Int @requires(fields: "weight(unit: \\"LB\\") clock")
          }`,
        resolvers: {
          Parcel: {
            __resolveReference: resolve,
            metric: ({ weight }: { weight: number }) => weight,
            imperial: ({ weight }: { weight: number }) => weight,
          },
        },
      },
    ];
    federation = await federate(changing);
    const unseen = await federation.execute('own', '{ parcel { metric imperial } }');
    expect(unseen).toMatchObject({ data: { parcel: { metric: 1, imperial: 2 } } });
    // The client would see one of two values.
    const seen = await federation.execute('own', '{ parcel { metric imperial clock } }');
    expect(seen.errors?.[0]?.message).toContain('The data changed while it was read');
  });
});

describe('a field that requires of an object what another field requires too', () => {
  const subgraphs: FixtureSubgraph[] = [
    {
      name: 'sizes',
      typeDefs: `${link('@key', '@shareable')}
        type Query { product: Product }
        type Product @key(fields: "sku") { sku: ID! size: Size }
        type Size @shareable { width: Int height: Int }`,
      resolvers: { Query: { product: () => ({ sku: '1', size: { width: 2, height: 3 } }) } },
    },
    {
      name: 'boxes',
      typeDefs: `${link('@key', '@requires', '@external', '@shareable')}
        type Product @key(fields: "sku") {
          sku: ID! size: Size @external
          lid: Int @requires(fields: "size { width }") wall: Int @requires(fields: "size { height }")
        }
        type Size @shareable { width: Int height: Int }`,
      resolvers: {
        Product: {
          lid: ({ size }: { size: { width: number } }) => size.width,
          wall: ({ size }: { size: { height: number } }) => size.height,
        },
      },
    },
  ];

  test('has its value without the other field', async () => {
    federation = await federate(subgraphs);
    const { data, errors } = await federation.execute(
      'own',
      'query ($all: Boolean = false) { product { lid wall @include(if: $all) } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ product: { lid: 2 } });
  });
});
