import type { FixtureSubgraph } from '../../federation/subgraph.ts';
import type { Badge, Company, Person, World } from '../world.ts';

/** People with two keys, companies, and badges whose key is inside an object. */
export function people(world: World): FixtureSubgraph {
  const find = (id: string | null) => world.people.find((each) => each.id === id) ?? null;

  return {
    name: 'people',
    typeDefs: `
      extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
        import: ["@key", "@shareable", "@override", "@external", "@requires"])
      type Query {
        me: Person
        person(id: ID!): Person
        people(ids: [ID], filter: PersonFilter): [Person]
        parties: [Party!]
        badges: [Badge!]
        version: String @shareable
      }
      type Mutation { rename(id: ID!, name: String): Person }
      input PersonFilter { country: String ages: Range = { from: 0 } }
      input Range { from: Int! = 18 to: Int }
      interface Party { id: ID! name: String country: String }
      type Person implements Party @key(fields: "id") @key(fields: "email") {
        id: ID!
        email: String
        name: String @shareable
        age: Int
        country: String
        address: Address
        manager: Person
        friends: [Person]
        grid: [[Int]]
        tags: [String!]
        badge: Badge
        nickname(style: String = "short", times: Int = 1): String
        score: Int @override(from: "reviews")
      }
      type Crate @key(fields: "sku") {
        sku: ID!
        toll: String @external
        volume: Int @external
        insurance: String @requires(fields: "toll volume")
      }
      type Company implements Party @key(fields: "id") {
        id: ID! name: String @shareable country: String owner: Person
      }
      type Address @shareable { street: String city: String! }
      type Org @shareable { id: ID! name: String }
      type Badge @key(fields: "org { id } number") {
        org: Org number: Int! level: Int holder: Person
      }`,
    resolvers: {
      Query: {
        me: () => find('u1'),
        person: (_: unknown, { id }: { id: string }) => find(id),
        people: (
          _: unknown,
          args: {
            ids?: (string | null)[] | null;
            filter?: {
              country?: string | null;
              ages?: { from: number; to?: number | null } | null;
            } | null;
          },
        ) => {
          const { country, ages } = args.filter ?? {};
          return (args.ids?.map(find) ?? world.people).filter(
            (each) =>
              !each ||
              ((country ?? each.country) === each.country &&
                each.age >= (ages?.from ?? 0) &&
                each.age <= (ages?.to ?? 999)),
          );
        },
        parties: () => [...world.companies, ...world.people],
        badges: () => world.badges,
        version: () => '1',
      },
      Mutation: {
        rename: (_: unknown, { id, name = null }: { id: string; name?: string | null }) => {
          const found = find(id);
          return found && Object.assign(found, { name });
        },
      },
      Person: {
        __resolveReference: ({ id, email }: Partial<Person>) =>
          world.people.find((each) =>
            id ? each.id === id : each.email !== null && each.email === email,
          ) ?? null,
        address: ({ id }: Person) =>
          id === 'u4' ? null : { street: `${id} street`, city: `${id} city` },
        manager: ({ manager }: Person) => find(manager),
        friends: ({ friends }: Person) => friends.map(find),
        badge: ({ id }: Person) => world.badges.find(({ holder }) => holder === id) ?? null,
        nickname: ({ id }: Person, { style, times }: { style: string; times: number }) =>
          `${style} ${id} ${times}`,
        score: ({ age }: Person) => age * 2,
      },
      Crate: {
        __resolveReference: (given: object) => given,
        insurance: ({ toll, volume }: { toll: string; volume: number | null }) =>
          `insured: ${toll} / ${volume}`,
      },
      Company: {
        __resolveReference: ({ id }: Company) =>
          world.companies.find((each) => each.id === id) ?? null,
        owner: ({ owner }: Company) => find(owner),
      },
      Badge: {
        __resolveReference: ({ org, number }: Pick<Badge, 'org' | 'number'>) =>
          world.badges.find((each) => each.org?.id === org?.id && each.number === number) ?? null,
        holder: ({ holder }: Badge) => find(holder),
      },
    },
  };
}
