import type { FixtureSubgraph } from './subgraph.ts';

interface Product {
  __typename: 'Book' | 'Film';
  sku: string;
  title: string | null;
  price: number;
  weight: number | null;
  size: { width: number; height: number } | null;
  maker: string | null;
}

const product = (kind: Product['__typename'], n: number, more: Partial<Product> = {}): Product => ({
  __typename: kind,
  sku: `p${n}`,
  title: `${kind} ${n}`,
  price: n * 10,
  weight: n,
  size: { width: n, height: n + 1 },
  maker: `u${n}`,
  ...more,
});

const products = [
  product('Book', 1),
  product('Film', 2),
  product('Book', 3, { title: null, weight: null, maker: null }),
  product('Film', 4, { size: null, maker: 'u1' }),
  // Reviews knows nothing of it.
  product('Book', 5, { maker: 'u99' }),
];

const find = (sku: string) => products.find((each) => each.sku === sku) ?? null;
const maker = ({ maker }: Product) => maker && { __typename: 'User', id: maker };

/** Products of two types behind an interface and a union, and lists of every depth. */
export const catalog: FixtureSubgraph = {
  name: 'catalog',
  typeDefs: `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
      import: ["@key", "@shareable", "@external", "@inaccessible"])
    type Query {
      products(first: Int = 10): [Product]
      product(sku: ID!): Product
      strictProducts: [Product!]
      things: [Thing]
      shelves: [[Product]]
      strictShelves: [[Product!]!]
      version: String @shareable
    }
    type Mutation { relabel(sku: ID!, title: String!): Product }
    type Subscription { productChanged(sku: ID!): Product }
    type Size @shareable { width: Int height: Int }
    type Cell { red: Int @shareable shade: Int @shareable green: Int }
    interface Product @key(fields: "sku") { sku: ID! title: String price: Int! }
    type Book implements Product @key(fields: "sku") {
      sku: ID! title: String price: Int! weight: Int size: Size pages: Int author: User
      cover: [[Cell]] @shareable
    }
    type Film implements Product @key(fields: "sku") {
      sku: ID! title: String price: Int! weight: Int size: Size minutes: Int! director: User
    }
    type Note { text: String! about: Thing }
    union Thing = Book | Film | Note
    type User @key(fields: "id") { id: ID! made: [Product!] favourite: Thing }`,
  resolvers: {
    Query: {
      products: (_: unknown, { first }: { first: number }) =>
        [products[0], null, ...products.slice(1)].slice(0, first),
      product: (_: unknown, { sku }: { sku: string }) => find(sku),
      strictProducts: () => products,
      things: () => [
        ...products.slice(0, 2),
        { __typename: 'Note', text: 'a note', about: products[3] },
        null,
        { __typename: 'Note', text: 'another', about: { __typename: 'Note', text: 'deep' } },
      ],
      shelves: () => [[products[0], null, products[1]], null, [], [products[2]]],
      strictShelves: () => [products.slice(0, 2), products.slice(2, 4)],
      version: () => '1',
    },
    Mutation: {
      relabel: (_: unknown, { sku, title }: { sku: string; title: string }) => {
        const found = find(sku);
        return found && { ...found, title };
      },
    },
    Product: { __resolveReference: ({ sku }: Product) => find(sku) },
    Book: {
      __resolveReference: ({ sku }: Product) => find(sku),
      pages: ({ price }: Product) => price * 5,
      author: maker,
      cover: () => [[{ red: 1, shade: 2, green: 3 }, null], [{ red: 4, shade: 5, green: 6 }]],
    },
    Film: {
      __resolveReference: ({ sku }: Product) => find(sku),
      minutes: ({ price }: Product) => price * 3,
      director: maker,
    },
    User: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      made: ({ id }: { id: string }) => products.filter((each) => each.maker === id),
      favourite: ({ id }: { id: string }) =>
        id === 'u3' ? null : products[Number(id.slice(1)) % products.length],
    },
  },
};

/** What the subgraph knows of a product, as an event of it would carry it. */
export function productEvent(sku: string) {
  const found = find(sku);
  const own = found && { pages: found.price * 5, minutes: found.price * 3 };
  return found && { ...found, ...own, author: maker(found), director: maker(found) };
}
