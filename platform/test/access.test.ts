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

function schemaOf(text: string, resolvers = {}) {
  return withAccessRules(buildSubgraphSchema({ typeDefs: parse(`${HEAD}${text}`), resolvers }));
}

const client = (...roles: Role[]): InternalRequest => ({
  service: 'router',
  principal: { userId: 'kim', roles },
});
const nobody: InternalRequest = { service: 'router', principal: null };
const context: InternalRequest = { service: 'book', principal: null };

const callers: [string, InternalRequest][] = [
  ['nobody', nobody],
  ['somebody', client()],
  ['a customer', client('customer')],
  ['a host', client('host')],
  ['an operator', client('operator')],
  ['another context', context],
];
const allowed: Record<Audience, string[]> = {
  ANYONE: callers.map(([name]) => name),
  SIGNED_IN: ['somebody', 'a customer', 'a host', 'an operator'],
  CUSTOMER: ['a customer', 'an operator'],
  HOST: ['a host', 'an operator'],
  OPERATOR: ['an operator'],
  SERVICE: ['another context'],
};

describe('a field that is for', () => {
  for (const [audience, names] of Object.entries(allowed)) {
    test.each(callers)(`${audience} treats %s as it should`, async (name, caller) => {
      let resolved = 0;
      const schema = schemaOf(`type Query { field: Int @allow(to: ${audience}) }`, {
        Query: {
          field: () => {
            resolved += 1;
            return 7;
          },
        },
      });
      const answer = await graphql({ schema, source: '{ field }', contextValue: caller });
      if (names.includes(name)) {
        expect(answer).toEqual({ data: { field: 7 } });
      } else {
        const code = caller.principal || audience === 'SERVICE' ? 'FORBIDDEN' : 'UNAUTHENTICATED';
        expect(answer.errors?.[0]?.extensions.code).toBe(code);
        expect(resolved).toBe(0);
      }
    });
  }
});

describe('a schema', () => {
  test('whose ways in are not all ruled is refused, with their names', () => {
    const forgetful = () =>
      schemaOf(`
        type Query { open: Int @allow(to: ANYONE) forgotten: Thing }
        type Mutation { overlooked: Int }
        type Thing @key(fields: "id") { id: ID! @allow(to: ANYONE) secret: Int }
        type Plain { value: Int }`);
    expect(forgetful).toThrow(
      'the schema does not @allow anyone to use Query.forgotten, Mutation.overlooked, Thing.secret',
    );
  });

  test('has a type rule all its fields, but for those with a rule of their own', async () => {
    const schema = schemaOf(
      `type Query { thing: Thing @allow(to: ANYONE) }
       type Thing @key(fields: "id") @allow(to: OPERATOR) { id: ID! @allow(to: ANYONE) secret: Int }`,
      { Query: { thing: () => ({ id: '1', secret: 2 }) } },
    );
    const ask = (source: string) => graphql({ schema, source, contextValue: client('customer') });
    expect(await ask('{ thing { id } }')).toEqual({ data: { thing: { id: '1' } } });
    expect((await ask('{ thing { secret } }')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
