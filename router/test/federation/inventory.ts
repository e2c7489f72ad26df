import type { FixtureSubgraph } from './subgraph.ts';

interface Stocked {
  sku: string;
  price?: number;
  weight?: number | null;
  size?: { width: number; height: number } | null;
}

const reference = (given: Stocked) => given;
const stock = ({ sku }: Stocked) => Number(sku.slice(1)) * 100;
const shipping = ({ sku, weight, size }: Stocked) =>
  `${sku}: ${weight} kg, ${size?.width} × ${size?.height}`;
const warehouse = ({ sku }: Stocked) =>
  sku === 'p2' ? null : { country: 'KR', code: `w-${Number(sku.slice(1)) % 2}` };

/** What requires other subgraphs' fields, entities with a compound key, and shared values. */
export const inventory: FixtureSubgraph = {
  name: 'inventory',
  typeDefs: `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
      import: ["@key", "@shareable", "@external", "@requires"])
    type Query { warehouses: [Warehouse!] version: String @shareable }
    type Size @shareable { width: Int height: Int }
    type Cell { red: Int @shareable shade: Int @shareable blue: Int }
    type Warehouse @key(fields: "country code") { country: ID! code: String! capacity: Int! }
    type Book @key(fields: "sku") {
      sku: ID!
      weight: Int @external
      size: Size @external
      stock: Int
      shipping: String @requires(fields: "weight size { width height }")
      warehouse: Warehouse
      cover: [[Cell]] @shareable
    }
    type Film @key(fields: "sku") {
      sku: ID!
      weight: Int @external
      size: Size @external
      stock: Int!
      shipping: String @requires(fields: "weight size { width height }")
      warehouse: Warehouse
    }
    type User @key(fields: "email") {
      email: String!
      name: String @external
      grid: [[Int]] @external
      label: String @requires(fields: "name grid")
    }`,
  resolvers: {
    Query: {
      warehouses: () => ['w-0', 'w-1'].map((code) => ({ country: 'KR', code })),
      version: () => '1',
    },
    Warehouse: {
      __resolveReference: ({ country, code }: { country: string; code: string }) => ({
        country,
        code,
      }),
      capacity: ({ code }: { code: string }) => Number(code.slice(2)) * 1000,
    },
    Book: {
      __resolveReference: reference,
      stock,
      shipping,
      warehouse,
      cover: () => [[{ red: 1, shade: 2, blue: 7 }, null], [{ red: 4, shade: 5, blue: 8 }]],
    },
    Film: { __resolveReference: reference, stock, shipping, warehouse },
    User: {
      __resolveReference: (given: object) => given,
      label: ({ email, name, grid }: { email: string; name: string; grid: unknown }) =>
        `${name} <${email}> ${JSON.stringify(grid)}`,
    },
  },
};
