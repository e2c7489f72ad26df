import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { Executor } from '../src/executor/executor.ts';
import type { SubgraphRequest, SubgraphResponse } from '../src/executor/subgraph.ts';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { reviewing } from './federation/reviews.ts';
import { RunningSubgraph } from './federation/subgraph.ts';

const fixtures = [accounts, catalog, inventory, reviewing];

let federation: Federation;
beforeAll(async () => {
  federation = await federate(fixtures);
});
afterAll(() => federation.stop());

const pathsOf = (errors: readonly { path?: readonly (string | number)[] }[] | undefined) =>
  errors?.map(({ path }) => path?.join('.'));

describe('a fetch that fails as a whole', () => {
  test('is an error of each field of the client that is null because of it', async () => {
    const { data, errors } = await federation.execute(
      'own',
      '{ me { id name nickname more: reviews { id } again: reviews { stars } } }',
      {},
      { subgraphs: { reviews: 'rejects' } },
    );
    expect(data?.me).toMatchObject({ id: 'u1', name: 'User 1', more: null, again: null });
    expect(pathsOf(errors)).toEqual(['me.more', 'me.again']);
    expect(errors?.map(({ message }) => message)).toEqual(
      Array(2).fill('reviews does not respond'),
    );
  });

  test('is an error of the fields that require what it did not bring', async () => {
    const { data, errors } = await federation.execute(
      'own',
      '{ users { label } }',
      {},
      { subgraphs: { accounts: 'refuses' } },
    );
    expect(data).toEqual({ users: null });
    expect(pathsOf(errors)).toEqual(['users']);
    const required = await federation.execute(
      'own',
      '{ reviews { product { ... on Book { shipping } } } }',
      {},
      { subgraphs: { catalog: 'refuses' } },
    );
    // Of seven reviews one has no product. Without the products nobody knows which of them are books.
    expect(required.errors).toHaveLength(6);
    for (const path of pathsOf(required.errors) ?? [])
      expect(path).toMatch(/^reviews\.\d\.product$/);
  });

  test('is no error when the client selected nothing of it', async () => {
    const { errors } = await federation.execute(
      'own',
      'query ($no: Boolean = false) { me { id reviews @include(if: $no) { id } } }',
      {},
      { subgraphs: { reviews: 'rejects' } },
    );
    expect(errors).toBeUndefined();
  });

  test('a response with neither data nor errors is an error that names the subgraph', async () => {
    const { data, errors } = await federation.execute(
      'own',
      '{ me { id } version }',
      {},
      { subgraphs: { accounts: 'empty' } },
    );
    expect(data?.me).toBeNull();
    expect(errors).toContainEqual(
      expect.objectContaining({
        message: 'The subgraph "accounts" responded without data.',
        path: ['me'],
      }),
    );
  });

  test('the fields beside one whose error made the response null have no error of their own', async () => {
    for (const beside of ['me { id }', 'all: strictUsers { id }']) {
      const query = `{ ${beside} strictUser(id: "missing") { id } }`;
      const { data, errors } = await federation.execute('own', query);
      expect(data).toBeNull();
      expect(pathsOf(errors)).toEqual(['strictUser']);
    }
  });

  test('data is never null without an error', async () => {
    const { data, errors } = await federation.execute(
      'own',
      '{ strictUser(id: "missing") { id } }',
    );
    expect(data).toBeNull();
    expect(pathsOf(errors)).toEqual(['strictUser']);
  });
});

/** The federation, with some responses of one subgraph replaced. */
function withResponses(
  name: string,
  replace: (response: SubgraphResponse, request: SubgraphRequest) => SubgraphResponse,
) {
  const subgraphs = Object.fromEntries(
    fixtures.map((fixture) => {
      const running = new RunningSubgraph(fixture, []);
      if (fixture.name !== name) return [fixture.name, running];
      const send = async (request: SubgraphRequest) =>
        replace(await running.send(request), request);
      return [fixture.name, { send }];
    }),
  );
  const executor = new Executor<object>({ supergraphSdl: federation.supergraphSdl, subgraphs });
  return (query: string) => {
    const prepared = executor.prepare(parse(query));
    if ('errors' in prepared) throw prepared.errors[0];
    return executor.execute(prepared, { context: {} });
  };
}

describe('a response that is not valid', () => {
  test.each([
    ['no list', () => 'x', 'must have an element for each of the 1 entities'],
    ['a list of another length', () => [], 'must have an element for each of the 1 entities'],
    ['an element that is no object', () => ['x'], 'must contain objects and nulls only'],
  ])('entities that are %s are an error of their fields', async (_name, entities, rule) => {
    const execute = withResponses('reviews', () => ({ data: { _entities: entities() } }));
    const { data, errors } = await execute('{ me { name reviews { id } } }');
    expect(JSON.parse(JSON.stringify(data))).toEqual({ me: { name: 'User 1', reviews: null } });
    expect(errors?.map(({ message }) => message)).toEqual([
      `The response of the subgraph "reviews" is not valid: "_entities" ${rule}.`,
    ]);
    expect(pathsOf(errors)).toEqual(['me.reviews']);
  });

  test.each([
    ['no list', 'x'],
    ['a list with a null', [null]],
    ['a list with a text', ['x']],
  ])('errors that are %s are an error in plain words', async (_name, errors) => {
    const execute = withResponses('reviews', () => ({ errors }) as never);
    const result = await execute('{ me { name reviews { id } } }');
    expect(result.errors?.map(({ message }) => message)).toEqual([
      'The response of the subgraph "reviews" is not valid: "errors" must be a list of objects.',
    ]);
    expect(pathsOf(result.errors)).toEqual(['me.reviews']);
  });

  test('null errors are none, and an odd error is reported without its odd parts', async () => {
    const none = withResponses('reviews', (response) => ({ ...response, errors: null }) as never);
    expect((await none('{ me { reviews { id } } }')).errors).toBeUndefined();
    const odd = withResponses(
      'reviews',
      () => ({ errors: [{ message: 5, path: 'x', extensions: 'y' }] }) as never,
    );
    const steps = withResponses(
      'reviews',
      () => ({ errors: [{ message: 'odd', path: [{ x: 1 }, null] }] }) as never,
    );
    expect(pathsOf((await steps('{ me { reviews { id } } }')).errors)).toEqual(['me.reviews']);
    const { errors } = await odd('{ me { reviews { id } } }');
    expect(errors?.[0]?.message).toBe('Error while fetching subquery from service "reviews"');
    expect(pathsOf(errors)).toEqual(['me.reviews']);
  });

  test('a subgraph does not decide on the status of the whole response', async () => {
    const http = { status: 418, headers: { a: 'b' } };
    const execute = withResponses('reviews', () => ({
      errors: [{ message: 'no', extensions: { code: 'TEAPOT', http } }],
    }));
    const { errors } = await execute('{ me { reviews { id } } }');
    expect(errors?.[0]?.extensions).toEqual({ code: 'TEAPOT', serviceName: 'reviews' });
  });

  test('a response that cannot be read is an error of its fields only', async () => {
    const unreadable = {
      get _entities(): unknown {
        throw new Error('cannot be read');
      },
    };
    const execute = withResponses('reviews', () => ({ data: unreadable }));
    const { data, errors } = await execute('{ me { name reviews { id } } }');
    expect(JSON.parse(JSON.stringify(data))).toEqual({ me: { name: 'User 1', reviews: null } });
    expect(errors?.map(({ message }) => message)).toEqual(['cannot be read']);
    expect(pathsOf(errors)).toEqual(['me.reviews']);
  });

  test('an entity that a subgraph does not know is null without an error', async () => {
    const execute = withResponses('reviews', () => ({ data: { _entities: [null] } }));
    const { data, errors } = await execute('{ me { name reviews { id } } }');
    expect(JSON.parse(JSON.stringify(data))).toEqual({ me: { name: 'User 1', reviews: null } });
    expect(errors).toBeUndefined();
  });

  test('a field that the planner forgot is an error', async () => {
    const { executor } = federation;
    const prepared = executor.prepare(parse('{ version me { id } }'));
    if ('errors' in prepared) throw prepared.errors[0];
    // No supergraph is known for which the planner does so beside other fields.
    const { plan } = executor.prepare(parse('{ version }')) as typeof prepared;
    const partial = { ...prepared, plan, unplanned: new Set(['me']) };
    const { data, errors } = await executor.execute(partial, { context: {} });
    expect(JSON.parse(JSON.stringify(data))).toEqual({ version: expect.anything(), me: null });
    expect(pathsOf(errors)).toEqual(['me']);
    expect(errors?.[0]?.extensions.code).toBe('INTERNAL_SERVER_ERROR');
  });

  test('an inaccessible type or enum value is null, and an error only where the schema allows no null', async () => {
    const draft = { __typename: 'Draft', id: 'd1' };
    const hiding = await federate([
      {
        name: 'a',
        typeDefs: `
          extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@inaccessible"])
          type Query { page: Page pages: [Page] strict: [Page!] tones: [Tone] }
          enum Tone { LOUD QUIET @inaccessible }
          interface Page { id: ID! }
          type Draft implements Page @inaccessible { id: ID! }
          type Post implements Page { id: ID! }`,
        resolvers: {
          Query: {
            page: () => draft,
            pages: () => [draft, { __typename: 'Post', id: 'p1' }],
            strict: () => [draft],
            tones: () => ['LOUD', 'QUIET'],
          },
        },
      },
    ]);
    const nullable = await hiding.execute('own', '{ page { id } pages { id } tones }');
    expect(nullable.data).toEqual({
      page: null,
      pages: [null, { id: 'p1' }],
      tones: ['LOUD', null],
    });
    expect(nullable.errors).toBeUndefined();
    const strict = await hiding.execute('own', '{ strict { id } }');
    expect(strict.data).toEqual({ strict: null });
    expect(pathsOf(strict.errors as never)).toEqual(['strict.0']);
    await hiding.stop();
  });

  test('an operation of which nothing can be fetched has errors and no data', async () => {
    const link = (imports: string) =>
      `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: [${imports}])`;
    // The subgraph with the root field has no object of the type, and the other one cannot resolve the key.
    const unreachable = await federate([
      {
        name: 'a',
        typeDefs: `${link('"@key"')}
          type Query { node: Node other: Int }
          interface Node @key(fields: "id") { id: ID! }`,
        resolvers: { Query: { other: () => 1 } },
      },
      {
        name: 'b',
        typeDefs: `${link('"@key", "@interfaceObject"')}
          type Node @key(fields: "id", resolvable: false) @interfaceObject { id: ID! size: Int }`,
        resolvers: {},
      },
    ]);
    const result = await unreachable.execute('own', '{ node { size } }');
    expect(result.data ?? null).toBeNull();
    expect(pathsOf(result.errors as never)).toEqual(['node']);
    const skipped = await unreachable.execute(
      'own',
      'query ($no: Boolean = false) { node @include(if: $no) { size } }',
    );
    expect(skipped).toMatchObject({ data: {} });
    expect(skipped.errors).toBeUndefined();
    await unreachable.stop();
  });
});
