import type { FixtureSubgraph } from '../../federation/subgraph.ts';
import type { Item, Review, World } from '../world.ts';

/** Reviews; adds fields to items of whatever type, and provides names of people. */
export function reviewing(world: World): FixtureSubgraph {
  const find = (id: string) => world.reviews.find((each) => each.id === id) ?? null;
  const party = (id: string) => {
    const all = [...world.people, ...world.companies];
    const name = all.find((each) => each.id === id)?.name;
    return { __typename: id.startsWith('c') ? 'Company' : 'Person', id, name };
  };

  return {
    name: 'reviews',
    typeDefs: `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key",
        "@shareable", "@external", "@provides", "@requires", "@interfaceObject"])
      type Query {
        reviews(stars: [Int!]): [Review]
        top: [Review!] @provides(fields: "author { name }")
        latest: Review @provides(fields: "author { name } votes { by { ... on Company { name } } }")
        voters: [Party] @provides(fields: "... on Person { name }")
        version: String @shareable
      }
      type Mutation { review(id: ID!, stars: Int!, body: String): Review }
      type Item @key(fields: "sku") @interfaceObject {
        sku: ID!
        title: String @external
        price: Int! @external
        reviews(first: Int = 5): [Review!]
        rating: Float
        best: Review
        blurb: String @requires(fields: "title price")
      }
      type Review @key(fields: "id") {
        id: ID! stars: Int! body: String author: Person item: Item votes: [Vote]
      }
      type Vote { up: Boolean! by: Party }
      interface Party { id: ID! }
      type Person implements Party @key(fields: "id") {
        id: ID!
        name: String @external
        reviews(first: Int): [Review]
        lastReview: Review
        score: Int
      }
      type Company implements Party @key(fields: "id") { id: ID! name: String @external }`,
    resolvers: {
      Query: {
        reviews: (_: unknown, { stars }: { stars?: number[] | null }) =>
          [world.reviews[0], null, ...world.reviews.slice(1)].filter(
            (each) => !each || !stars || stars.includes(each.stars),
          ),
        top: () => world.reviews.slice(0, 5),
        latest: () => find('r5'),
        voters: () => [party('u1'), null, party('c1'), party('u3')],
        version: () => '1',
      },
      Mutation: {
        review: (_: unknown, { id, ...more }: { id: string; stars: number; body?: string }) => {
          const found = find(id);
          return found && Object.assign(found, { body: null, ...more });
        },
      },
      Item: {
        __resolveReference: (given: Item) => (given.sku === 'p5' ? null : given),
        reviews: ({ sku }: Item, { first }: { first: number | null }) =>
          world.reviews.filter((each) => each.sku === sku).slice(0, first ?? 5),
        rating: ({ sku }: Item) => Number(sku.slice(1)) + 0.5,
        best: ({ sku }: Item) => world.reviews.find((each) => each.sku === sku) ?? null,
        blurb: ({ title, price }: Item) => `${title} for only ${price}`,
      },
      Review: {
        __resolveReference: ({ id }: Review) => find(id),
        author: ({ author }: Review) => party(author),
        item: ({ sku }: Review) => ({ sku }),
      },
      Vote: { by: ({ by }: { by: string }) => party(by) },
      Person: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        reviews: ({ id }: { id: string }, { first }: { first?: number | null }) =>
          world.reviews.filter((each) => each.author === id).slice(0, first ?? 99),
        lastReview: ({ id }: { id: string }) =>
          world.reviews.findLast((each) => each.author === id) ?? null,
        score: () => -1,
      },
      Company: { __resolveReference: ({ id }: { id: string }) => ({ id }) },
    },
  };
}
