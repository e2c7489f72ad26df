import type { FixtureSubgraph } from '../../federation/subgraph.ts';
import type { Item, World } from '../world.ts';
import { VALUE_TYPES } from './value-types.ts';

/** Items of two types behind an interface with a key, values behind another, and unions of entities. */
export function catalog(world: World): FixtureSubgraph {
  const find = (sku: string) => world.items.find((each) => each.sku === sku) ?? null;
  const party = (id: string | null) =>
    id && { __typename: id.startsWith('c') ? 'Company' : 'Person', id };
  const maker = (item: Item) => party(item.maker);
  const weight = ({ grams }: Item, { unit }: { unit: 'G' | 'KG' | 'LB' }) =>
    grams === null ? null : grams / { G: 1, KG: 1000, LB: 500 }[unit];
  const byKey = ({ sku, ean }: { sku?: string; ean?: string | null }) =>
    world.items.find((each) => (sku ? each.sku === sku : ean && each.ean === ean)) ?? null;
  const change = (sku: string, more: Partial<Item>) => {
    const found = find(sku);
    return found && Object.assign(found, more);
  };

  return {
    name: 'catalog',
    typeDefs: `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
        import: ["@key", "@shareable"])
      type Query {
        items(first: Int = 10, kind: Kind): [Item]
        item(sku: ID!): Item
        crates: [Crate!]!
        barrel: Barrel
        things: [Thing]
        featured: Thing
        shelves: [[Item]]
        version: String @shareable
      }
      type Mutation {
        relabel(sku: ID!, title: String): Item
        reprice(sku: ID!, price: Int!): Item
      }
      ${VALUE_TYPES}
      type Cell { red: Int @shareable shade: Int @shareable green: Int }
      interface Item @key(fields: "sku") {
        sku: ID! title: String price: Int! kind: Kind! weight(unit: Unit! = G): Float size: Size
        lots: [Lot] packing: Packing maker: Party
      }
      type Crate implements Item @key(fields: "sku") @key(fields: "ean") {
        sku: ID! title: String @shareable price: Int! kind: Kind! @shareable weight(unit: Unit! = G): Float size: Size
        lots: [Lot] packing: Packing maker: Party
        ean: String lidded: Boolean inside: Item depot: Depot
        face: [[Cell]] @shareable
      }
      type Barrel implements Item @key(fields: "sku") {
        sku: ID! title: String @shareable price: Int! kind: Kind! @shareable weight(unit: Unit! = G): Float size: Size
        lots: [Lot] packing: Packing maker: Party
        litres: Int! depot: Depot
      }
      type Depot @key(fields: "country code", resolvable: false) { country: ID! code: String! }
      type Note { text: String! about: Thing }
      union Thing = Crate | Barrel | Person | Note
      interface Party { id: ID! }
      type Person implements Party @key(fields: "id") { id: ID! made: [Item!] favourite: Thing }
      type Company implements Party @key(fields: "id") { id: ID! made: [Item!] }`,
    resolvers: {
      Query: {
        items: (_: unknown, { first, kind }: { first: number; kind?: string }) =>
          [world.items[0], null, ...world.items.slice(1)]
            .filter((each) => !each || !kind || each.kind === kind)
            .slice(0, Math.max(0, first)),
        item: (_: unknown, { sku }: { sku: string }) => find(sku),
        crates: () => world.items.filter((each) => each.__typename === 'Crate'),
        barrel: () => find('p2'),
        things: () => [
          ...world.items.slice(0, 2),
          { __typename: 'Note', text: 'a note', about: find('p4') },
          null,
          { __typename: 'Person', id: 'u1' },
          { __typename: 'Note', text: 'other', about: { __typename: 'Note', text: 'deep' } },
        ],
        featured: () => find('p1'),
        shelves: () => [[find('p1'), null, find('p2')], null, [], [find('p3')]],
        version: () => '1',
      },
      Mutation: {
        relabel: (_: unknown, { sku, title = null }: { sku: string; title?: string | null }) =>
          change(sku, { title }),
        reprice: (_: unknown, { sku, price }: { sku: string; price: number }) =>
          change(sku, { price }),
      },
      Item: { __resolveReference: byKey },
      Crate: {
        __resolveReference: byKey,
        weight,
        maker,
        lidded: ({ price }: Item) => price > 20,
        inside: ({ sku }: Item) => (sku === 'p1' ? find('p2') : null),
        depot: ({ depot }: Item) => depot && { country: 'KR', code: depot },
        face: ({ price }: Item) => [[{ red: 1, shade: 2, green: price }, null], [], null],
      },
      Barrel: {
        __resolveReference: byKey,
        weight,
        maker,
        litres: ({ price }: Item) => price * 3,
        depot: ({ depot }: Item) => depot && { country: 'KR', code: depot },
      },
      Person: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        made: ({ id }: { id: string }) => world.items.filter((each) => each.maker === id),
        favourite: ({ id }: { id: string }) =>
          id === 'u3' ? { __typename: 'Person', id: 'u4' } : find(`p${id.slice(1)}`),
      },
      Company: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        made: ({ id }: { id: string }) => world.items.filter((each) => each.maker === id),
      },
    },
  };
}
