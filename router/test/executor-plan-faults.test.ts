import { afterEach, describe, expect, test } from '@jest/globals';
import { type Federation, federate } from './federation/executors.ts';
import type { FixtureSubgraph } from './federation/subgraph.ts';

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
});
