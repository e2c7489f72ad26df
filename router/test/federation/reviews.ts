import type { FixtureSubgraph } from './subgraph.ts';

interface Review {
  id: string;
  stars: number;
  body: string | null;
  sku: string;
  by: string;
  votes: ({ up: boolean; by: string } | null)[];
}

const review = (n: number, sku: string, by: string): Review => ({
  id: `r${n}`,
  stars: (n % 5) + 1,
  body: n % 3 ? `Review ${n}` : null,
  sku,
  by,
  votes: [{ up: n % 2 === 0, by: 'u1' }, null, { up: true, by: 'u3' }],
});

const reviews = [
  review(1, 'p1', 'u1'),
  review(2, 'p1', 'u2'),
  review(3, 'p2', 'u1'),
  review(4, 'p3', 'u3'),
  review(5, 'p4', 'u1'),
  // Nobody has heard of its author.
  review(6, 'p4', 'u99'),
];

/** Reviews; adds fields to products of whatever type, and to users, whose names it knows at times. */
export const reviewing: FixtureSubgraph = {
  name: 'reviews',
  typeDefs: `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
      import: ["@key", "@shareable", "@external", "@provides", "@interfaceObject"])
    type Query {
      reviews(stars: [Int!]): [Review]
      signed: [Review!] @provides(fields: "author { name }")
      version: String @shareable
    }
    type Mutation { review(sku: ID!, stars: Int!): Review }
    type Product @key(fields: "sku") @interfaceObject {
      sku: ID!
      reviews(first: Int = 5): [Review!]
      rating: Float
      best: Review!
    }
    type Review @key(fields: "id") {
      id: ID! stars: Int! body: String author: User! product: Product votes: [Vote]
    }
    type Vote { up: Boolean! by: User }
    type Geo @shareable { lat: Float lon: Float }
    type Address @shareable { street: String city: String! geo: Geo }
    type User @key(fields: "id") {
      id: ID!
      name: String @external
      address: Address @shareable
      reviews(first: Int): [Review]
      lastReview: Review!
      score: Int
    }`,
  resolvers: {
    Query: {
      reviews: (_: unknown, { stars }: { stars?: number[] }) =>
        [reviews[0], null, ...reviews.slice(1)].filter(
          (each) => !each || !stars || stars.includes(each.stars),
        ),
      signed: () => reviews.slice(0, 5),
      version: () => '1',
    },
    Mutation: {
      review: (_: unknown, { sku, stars }: { sku: string; stars: number }) => ({
        ...review(9, sku, 'u2'),
        stars,
      }),
    },
    Product: {
      __resolveReference: ({ sku }: { sku: string }) => (sku === 'p5' ? null : { sku }),
      reviews: ({ sku }: Review, { first }: { first: number }) =>
        reviews.filter((each) => each.sku === sku).slice(0, first),
      rating: ({ sku }: Review) => Number(sku.slice(1)) + 0.5,
      best: ({ sku }: Review) => reviews.find((each) => each.sku === sku) ?? null,
    },
    Review: {
      __resolveReference: ({ id }: Review) => reviews.find((each) => each.id === id) ?? null,
      author: ({ by }: Review) => ({ id: by, name: by === 'u3' ? null : `User ${by.slice(1)}` }),
      product: ({ sku }: Review) => ({ sku }),
    },
    Vote: { by: ({ by }: { by: string }) => ({ id: by }) },
    User: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      address: ({ id }: { id: string }) =>
        id === 'u4' ? null : { street: `${id} street`, city: `${id} city`, geo: { lat: 1.5 } },
      reviews: ({ id }: { id: string }, { first }: { first?: number }) =>
        reviews.filter(({ by }) => by === id).slice(0, first),
      lastReview: ({ id }: { id: string }) => reviews.findLast(({ by }) => by === id) ?? null,
      score: () => -1,
    },
  },
};
