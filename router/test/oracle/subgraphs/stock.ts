import type { FixtureSubgraph } from '../../federation/subgraph.ts';
import type { Badge, Depot, Item, Packing, Person, World } from '../world.ts';
import { VALUE_TYPES } from './value-types.ts';

/** What the representation of an item may hold, as other subgraphs responded. */
interface GivenItem {
  sku: string;
  price: number;
  kind: string;
  weight: number | null;
  rating: number;
  size: Item['size'];
  lots: Item['lots'];
  packing: Packing | null;
  maker: { id: string; country: string | null } | null;
}

const corner = (point: { x: number; y: number | null } | null) => point && `${point.x}:${point.y}`;

function handling({ packing }: GivenItem): string {
  if (packing === null) return 'bare';
  // Representations have no `__typename` inside what `@requires` selects.
  if ('layers' in packing) {
    return `${packing.code} wrap ${packing.layers} ${packing.material?.grade}`;
  }
  return `${packing.code} box ${packing.depth} ${packing.corners?.map(corner)}`;
}

const toText = (weight: number | null, unit: string) =>
  weight === null ? null : `${weight} ${unit}`;

const computed = {
  __resolveReference: (given: GivenItem) => given,
  stock: ({ sku }: GivenItem) => Number(sku.slice(1)) * 100,
  toll: ({ sku, price, kind }: GivenItem) => `${sku} ${kind} at ${price}`,
  handling,
  volume: ({ size }: GivenItem) => size && size.width * (size.height ?? 100),
  worth: ({ lots }: GivenItem) =>
    lots?.reduce((sum, lot) => sum + (lot ? lot.pieces * (lot.value ?? 1) : 1000), 0),
  postage: ({ weight }: GivenItem) => toText(weight, 'kg'),
  stamps: ({ weight }: GivenItem) => toText(weight, 'lb'),
  acclaim: ({ rating }: GivenItem) => `${rating} stars`,
  origin: ({ maker }: GivenItem) => maker && `${maker.id} of ${maker.country}`,
};

const itemFields = `
  sku: ID!
  title: String @external
  price: Int! @external
  kind: Kind! @external
  weight(unit: Unit! = G): Float @external
  size: Size @external
  lots: [Lot] @external
  packing: Packing @external
  maker: Party @external
  rating: Float @external
  acclaim: String @requires(fields: "rating")
  stock: Int
  toll: String @requires(fields: "price kind")
  handling: String @requires(fields: "packing { code ... on Box { depth corners { x y } } ... on Wrap { layers material { grade } } }")
  volume: Int @requires(fields: "size { width height }")
  worth: Int @requires(fields: "lots { pieces value }")
  postage: String @requires(fields: "weight(unit: KG)")
  stamps: String @requires(fields: "weight(unit: LB)")
  origin: String @requires(fields: "maker { id country }")`;

const typeDefs = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
    import: ["@key", "@shareable", "@external", "@requires", "@provides"])
  type Query {
    depots: [Depot!]
    depot(code: String!): Depot
    stocked: [Stocked] @provides(fields: "... on Crate { title kind } ... on Barrel { title }")
    version: String @shareable
  }
  ${VALUE_TYPES}
  type Cell { red: Int @shareable shade: Int @shareable blue: Int }
  type Depot @key(fields: "country code") {
    country: ID! code: String! capacity: Int! keeper: Person holds: [Stocked!]
  }
  union Stocked = Crate | Barrel | Depot
  type Crate @key(fields: "ean", resolvable: false) @key(fields: "sku") {
    ean: String
    face: [[Cell]] @shareable
    ${itemFields}
  }
  type Barrel @key(fields: "sku") { ${itemFields} }
  interface Party { id: ID! country: String }
  type Person implements Party @key(fields: "id", resolvable: false) @key(fields: "email") {
    id: ID!
    email: String
    name: String @external
    country: String @external
    grid: [[Int]] @external
    label: String @requires(fields: "name grid")
    desk: String
  }
  type Company implements Party @key(fields: "id", resolvable: false) {
    id: ID! country: String @external
  }
  type Org @shareable { id: ID! name: String }
  type Badge @key(fields: "org { id } number") { org: Org number: Int! locker: String }`;

/** What requires other subgraphs' fields: scalars, objects, lists, interfaces, fields with arguments. */
export function stock(world: World): FixtureSubgraph {
  const stocked = ({ __typename, sku, ean, title, kind }: Item) => ({
    __typename,
    sku,
    ean,
    title,
    kind,
  });
  const depot = ({ country, code }: Depot) =>
    world.depots.find((each) => each.country === country && each.code === code) ?? null;

  return {
    name: 'stock',
    typeDefs,
    resolvers: {
      Query: {
        depots: () => world.depots,
        depot: (_: unknown, { code }: { code: string }) =>
          world.depots.find((each) => each.code === code) ?? null,
        stocked: () => [...world.items.slice(0, 3).map(stocked), null, world.depots[1]],
        version: () => '1',
      },
      Depot: {
        __resolveReference: depot,
        keeper: ({ keeper }: Depot) => {
          const { id, email } = world.people.find((each) => each.id === keeper) as Person;
          return { id, email };
        },
        holds: ({ code }: Depot) =>
          world.items.filter((each) => each.depot === code).map((each) => stocked(each)),
      },
      Crate: {
        ...computed,
        ean: ({ sku }: Item) => world.items.find((each) => each.sku === sku)?.ean,
        face: ({ sku }: Item) => [
          [{ red: 1, shade: 2, blue: Number(sku.slice(1)) }, null],
          [],
          null,
        ],
      },
      Barrel: computed,
      Person: {
        // Only the resolvable key identifies a person; a null key identifies nobody.
        __resolveReference: (given: Partial<Person>) => (given.email ? given : null),
        label: ({ name, email, grid }: Person) => `${name} <${email}> ${JSON.stringify(grid)}`,
        desk: ({ email }: Person) => email && `desk of ${email}`,
      },
      Badge: {
        __resolveReference: (given: Badge) => (given.org ? given : null),
        locker: ({ org, number }: Badge) => `locker ${org?.id}-${number}`,
      },
    },
  };
}
