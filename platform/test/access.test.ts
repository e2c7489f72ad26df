import { buildSubgraphSchema } from '@apollo/subgraph';
import { describe, expect, test } from '@jest/globals';
import { graphql, parse } from 'graphql';
import type { InternalRequest } from '../auth/internal-requests.ts';
import type { Role } from '../auth/principal.ts';
import { type Audience, withAccessRules } from '../graphql/access.ts';

const HEAD = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  directive @allow(to: Audience!) on FIELD_DEFINITION | OBJECT
  enum Audience { ANYONE SIGNED_IN CUSTOMER HOST OPERATOR SERVICE }`;

function schemaWith(text: string, resolvers = {}) {
  return withAccessRules(buildSubgraphSchema({ typeDefs: parse(`${HEAD}${text}`), resolvers }));
}

const client = (...roles: Role[]): InternalRequest => ({
  service: 'router',
  principal: { userId: 'kim', roles },
});
const anonymous: InternalRequest = { service: 'router', principal: null };
const context: InternalRequest = { service: 'book', principal: null };

const clients: [string, InternalRequest][] = [
  ['an anonymous client', anonymous],
  ['a user without a role', client()],
  ['a customer', client('customer')],
  ['a host', client('host')],
  ['an operator', client('operator')],
  ['another context', context],
];
const allowed: Record<Audience, string[]> = {
  ANYONE: clients.map(([name]) => name),
  SIGNED_IN: ['a user without a role', 'a customer', 'a host', 'an operator'],
  CUSTOMER: ['a customer', 'an operator'],
  HOST: ['a host', 'an operator'],
  OPERATOR: ['an operator'],
  SERVICE: ['another context'],
};

describe('a field with an access rule', () => {
  for (const [audience, names] of Object.entries(allowed)) {
    test.each(clients)(
      `a field for ${audience} admits or refuses %s by its rule`,
      async (name, sender) => {
        let resolved = 0;
        const schema = schemaWith(`type Query { field: Int @allow(to: ${audience}) }`, {
          Query: {
            field: () => {
              resolved += 1;
              return 7;
            },
          },
        });
        const result = await graphql({ schema, source: '{ field }', contextValue: sender });
        if (names.includes(name)) {
          expect(result).toEqual({ data: { field: 7 } });
        } else {
          const code = sender.principal || audience === 'SERVICE' ? 'FORBIDDEN' : 'UNAUTHENTICATED';
          expect(result.errors?.[0]?.extensions.code).toBe(code);
          expect(resolved).toBe(0);
        }
      },
    );
  }
});

describe('the access rules of a schema', () => {
  test('a schema is refused with the names of the fields that have no access rule', () => {
    const forgetful = () =>
      schemaWith(`
        type Query { open: Int @allow(to: ANYONE) forgotten: Thing }
        type Mutation { overlooked: Int }
        type Thing @key(fields: "id") { id: ID! @allow(to: ANYONE) secret: Int }
        type Plain { value: Int }`);
    expect(forgetful).toThrow(
      'the schema does not @allow anyone to use Query.forgotten, Mutation.overlooked, Thing.secret',
    );
  });

  test('the access rule of a type applies to all its fields without a rule of their own', async () => {
    const schema = schemaWith(
      `type Query { thing: Thing @allow(to: ANYONE) }
       type Thing @key(fields: "id") @allow(to: OPERATOR) { id: ID! @allow(to: ANYONE) secret: Int }`,
      { Query: { thing: () => ({ id: '1', secret: 2 }) } },
    );
    const execute = (source: string) =>
      graphql({ schema, source, contextValue: client('customer') });
    expect(await execute('{ thing { id } }')).toEqual({ data: { thing: { id: '1' } } });
    expect((await execute('{ thing { secret } }')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
