/** The well-known federation of users, products, reviews and stock, with invented data. */
export interface Fixture {
  name: string;
  typeDefs: string;
  // biome-ignore lint/suspicious/noExplicitAny: resolvers receive values of any type
  resolvers: Record<string, any>;
}

/** Every join of the fixtures: users, their reviews, the reviewed products, and their reviews again. */
export const OPERATION = `
  fragment U on User { id username name }
  fragment R on Review { id body }
  fragment P on Product { inStock name price shippingEstimate upc weight }
  query Joins {
    users {
      ...U
      reviews { ...R product { ...P reviews { ...R author { ...U reviews { ...R product { ...P } } } } } }
    }
    topProducts {
      ...P
      reviews { ...R author { ...U reviews { ...R product { ...P } } } }
    }
  }`;

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
const link = (imports: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: [${imports}])`;

const users = numbers(6).map((n) => ({ id: `${n}`, name: `User ${n}`, username: `user-${n}` }));
const products = numbers(9).map((n) => ({
  upc: `${n}`,
  name: `Product ${n}`,
  price: n * 100,
  weight: n * 50,
}));
const reviews = numbers(11).map((n) => ({
  id: `${n}`,
  body: `Review ${n}: as good as one would expect`,
  author: { id: `${(n % 4) + 1}` },
  product: { upc: `${(n % 5) + 1}` },
}));

export const fixtures: Fixture[] = [
  {
    name: 'accounts',
    typeDefs: `${link('"@key"')}
      type Query { me: User users: [User] }
      type User @key(fields: "id") { id: ID! name: String username: String }`,
    resolvers: {
      Query: { me: () => users[0], users: () => users },
      User: {
        __resolveReference: ({ id }: { id: string }) => users.find((user) => user.id === id),
      },
    },
  },
  {
    name: 'products',
    typeDefs: `${link('"@key"')}
      type Query { topProducts(first: Int = 5): [Product] }
      type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }`,
    resolvers: {
      Query: {
        topProducts: (_: unknown, { first }: { first: number }) => products.slice(0, first),
      },
      Product: {
        __resolveReference: ({ upc }: { upc: string }) =>
          products.find((product) => product.upc === upc),
      },
    },
  },
  {
    name: 'inventory',
    typeDefs: `${link('"@key", "@external", "@requires"')}
      type Product @key(fields: "upc") {
        upc: String! weight: Int @external price: Int @external
        inStock: Boolean shippingEstimate: Int @requires(fields: "price weight")
      }`,
    resolvers: {
      Product: {
        __resolveReference: (product: object) => product,
        inStock: ({ upc }: { upc: string }) => Number(upc) % 2 === 0,
        shippingEstimate: ({ price, weight }: { price: number; weight: number }) =>
          price > 1_000 ? 0 : weight / 2,
      },
    },
  },
  {
    name: 'reviews',
    typeDefs: `${link('"@key"')}
      type Review @key(fields: "id") { id: ID! body: String author: User product: Product }
      type User @key(fields: "id") { id: ID! reviews: [Review] }
      type Product @key(fields: "upc") { upc: String! reviews: [Review] }`,
    resolvers: {
      User: {
        reviews: ({ id }: { id: string }) => reviews.filter(({ author }) => author.id === id),
      },
      Product: {
        reviews: ({ upc }: { upc: string }) => reviews.filter(({ product }) => product.upc === upc),
      },
    },
  },
];
