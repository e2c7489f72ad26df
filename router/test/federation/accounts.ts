import type { FixtureSubgraph } from './subgraph.ts';

interface User {
  id: string;
  email: string;
  name: string | null;
  tone: string;
  born: number;
  active: boolean;
  manager: string | null;
  tags: string[] | null;
  grid: (number | null)[][] | null;
  settings: unknown;
}

const user = (id: number, more: Partial<User>): User => ({
  id: `u${id}`,
  email: `u${id}@example.org`,
  name: `User ${id}`,
  tone: id % 2 ? 'PLAIN' : 'LOUD',
  born: 1970 + id,
  active: true,
  manager: null,
  tags: [`tag-${id}`, 'all'],
  grid: [[id, 2], [null, 4], []],
  settings: { theme: { dark: id % 2 === 0 }, sizes: [id, 1.5, null] },
  ...more,
});

const users = [
  user(1, { manager: 'u2' }),
  user(2, { manager: 'u3', tags: null }),
  user(3, { name: null, grid: null }),
  user(4, { active: false, settings: null, manager: 'u1' }),
];

const find = (id: string | null) => users.find((each) => each.id === id) ?? null;

interface Filter {
  ids?: (string | null)[];
  active?: boolean;
  born?: { from?: number; to?: number };
}

function meets(user: User, { active, born }: Filter): boolean {
  const { from = 0, to = 9999 } = born ?? {};
  return user.active === (active ?? user.active) && user.born >= from && user.born <= to;
}

/** Users with two keys, values of every kind, and the operations' arguments. */
export const accounts: FixtureSubgraph = {
  name: 'accounts',
  typeDefs: `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
      import: ["@key", "@shareable", "@inaccessible", "@override"])
    scalar JSON
    enum Tone { PLAIN LOUD HIDDEN @inaccessible }
    input Range { from: Int = 1900 to: Int }
    input UserFilter { ids: [ID] active: Boolean born: Range }
    type Query {
      me: User
      user(id: ID!): User
      strictUser(id: ID!): User!
      users(filter: UserFilter, limit: Int = 10): [User]
      strictUsers: [User!]!
      greeting(name: String! = "you", tone: Tone = PLAIN, extra: JSON): String
      version: String @shareable
    }
    type Mutation {
      rename(id: ID!, name: String!): User
      forget: Boolean!
    }
    type Subscription { userChanged(id: ID!, since: Int = 0): User }
    type Geo @shareable { lat: Float lon: Float }
    type Address @shareable { street: String city: String! geo: Geo }
    type User @key(fields: "id") @key(fields: "email") {
      id: ID!
      email: String!
      name: String @shareable
      tone: Tone!
      born: Int
      active: Boolean
      tags: [String!]
      grid: [[Int]]
      settings: JSON
      address: Address @shareable
      nickname(style: String = "short", times: Int = 1): String
      manager: User
      reports: [User!]!
      internalNote: String @inaccessible
      score: Int @override(from: "reviews")
    }`,
  resolvers: {
    Query: {
      me: () => find('u1'),
      user: (_: unknown, { id }: { id: string }) => find(id),
      strictUser: (_: unknown, { id }: { id: string }) => find(id),
      users: (_: unknown, { filter, limit }: { filter?: Filter; limit: number }) =>
        (filter?.ids?.map(find) ?? users)
          .filter((each) => each === null || meets(each, filter ?? {}))
          .slice(0, limit),
      strictUsers: () => users,
      greeting: (_: unknown, args: { name: string; tone: string; extra?: unknown }) =>
        `${args.tone} hello ${args.name} ${JSON.stringify(args.extra)}`,
      version: () => '1',
    },
    Mutation: {
      rename: (_: unknown, { id, name }: { id: string; name: string }) => {
        const found = find(id);
        return found && { ...found, name };
      },
      forget: () => true,
    },
    User: {
      __resolveReference: ({ id, email }: Partial<User>) =>
        users.find((each) => each.id === id || each.email === email) ?? null,
      address: ({ id }: User) =>
        id === 'u4' ? null : { street: `${id} street`, city: `${id} city`, geo: { lat: 1.5 } },
      nickname: ({ id }: User, { style, times }: { style: string; times: number }) =>
        `${style} ${id}`.repeat(times),
      manager: ({ manager }: User) => find(manager),
      reports: ({ id }: User) => users.filter(({ manager }) => manager === id),
      internalNote: () => 'not for clients',
      score: ({ born }: User) => born * 2,
    },
  },
};

/** What the subgraph knows of a user, as an event of it would carry it; people are `depth` deep. */
export function userEvent(id: string | null, depth = 3): object | null {
  const found = find(id);
  if (!found || depth === 0) return null;
  const { address, score } = accounts.resolvers.User;
  return {
    ...found,
    address: address(found),
    score: score(found),
    manager: userEvent(found.manager, depth - 1),
    reports: users
      .filter(({ manager }) => manager === id)
      .map((each) => ({ ...userEvent(each.id, depth - 1) })),
  };
}
