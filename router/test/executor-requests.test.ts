import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { Executor } from '../src/executor/executor.ts';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { expectSameResult } from './federation/compare.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { reviewing } from './federation/reviews.ts';
import { type RecordedRequest, RunningSubgraph } from './federation/subgraph.ts';

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

const representations = (requests: RecordedRequest[], subgraph: string) =>
  requests
    .filter((request) => request.subgraph === subgraph)
    .flatMap(({ variables }) => (variables.representations as object[] | undefined) ?? []);

describe('requests to subgraphs', () => {
  const AUTHORS = '{ reviews { author { email manager { email } } product { sku price } } }';

  test('an entity that occurs many times is fetched once', async () => {
    const { requests, data } = await expectSameResult(federation, AUTHORS);
    expect(data?.reviews).toHaveLength(7);
    expect(representations(requests, 'accounts')).toEqual(
      ['u1', 'u2', 'u3', 'u99'].map((id) => ({ __typename: 'User', id })),
    );
    expect(representations(requests, 'catalog')).toHaveLength(4);
    const stock = await federation.execute('stock', AUTHORS);
    expect(representations(stock.requests, 'accounts')).toHaveLength(6);
    expect(stock.requests).toHaveLength(requests.length);
  });

  test('an error of an entity is reported in every place of the entity', async () => {
    const { errors } = await expectSameResult(
      federation,
      '{ reviews { author { name } } }',
      undefined,
      {
        fields: { 'User(u1).name': 'throws' },
      },
    );
    expect(errors?.map(({ path }) => path)).toEqual(
      [0, 3, 5].map((index) => ['reviews', index, 'author', 'name']),
    );
  });

  test('entities that differ in a required field are fetched separately', async () => {
    const { requests } = await expectSameResult(
      federation,
      '{ users { reviews { author { label } } } }',
    );
    const labels = representations(requests, 'inventory');
    expect(labels).toHaveLength(3);
    expect(new Set(labels.map((each) => JSON.stringify(each))).size).toBe(3);
  });

  test('the fields of a mutation are executed one after the other', async () => {
    const { requests } = await expectSameResult(
      federation,
      'mutation { a: rename(id: "u1", name: "x") { reviews { id } } b: relabel(sku: "p1", title: "y") { sku } c: forget }',
    );
    expect(requests.map(({ subgraph }) => subgraph)).toEqual([
      'accounts',
      'reviews',
      'catalog',
      'accounts',
    ]);
  });

  test('introspection sends no request to a subgraph', async () => {
    const { requests } = await expectSameResult(
      federation,
      '{ __schema { types { name } } __typename }',
    );
    expect(requests).toHaveLength(0);
  });
});

describe('prepared operations', () => {
  const query = (n: number) => parse(`{ me { id a${n}: name } }`);

  test('an operation is prepared once', () => {
    const { executor } = federation;
    const first = executor.prepare(query(1));
    expect(executor.prepare(query(1))).toBe(first);
    expect(executor.prepare(query(2))).not.toBe(first);
  });

  test('operations of one document are distinguished by their names', () => {
    const document = parse('query A { me { id } } query B { me { name } }');
    const [a, b] = ['A', 'B'].map((name) => federation.executor.prepare(document, name));
    expect(a).not.toBe(b);
    expect(federation.executor.prepare(document, 'A')).toBe(a);
  });

  test('the cache of prepared operations evicts the least recently used ones', () => {
    const { supergraphSdl } = federation;
    const subgraphs = Object.fromEntries(
      [accounts, catalog, inventory, reviewing].map((fixture) => [
        fixture.name,
        new RunningSubgraph(fixture, []),
      ]),
    );
    const executor = new Executor({ supergraphSdl, subgraphs, cacheSize: 3 });
    const first = executor.prepare(query(0));
    const second = executor.prepare(query(1));
    for (let n = 2; n < 4; n += 1) {
      executor.prepare(query(0));
      executor.prepare(query(n));
    }
    expect(executor.operations.size).toBe(3);
    expect(executor.prepare(query(0))).toBe(first);
    expect(executor.prepare(query(1))).not.toBe(second);
  });

  test.each([
    ['query A { me { id } } query B { me { id } }', undefined, /Must provide operation name/],
    ['query A { me { id } }', 'B', /Unknown operation named "B"/],
    ['fragment F on User { id }', undefined, /Must provide an operation/],
  ])('a document without an unambiguous operation is refused: %s', (text, name, message) => {
    const prepared = federation.executor.prepare(parse(text), name);
    expect(prepared).toEqual({
      errors: [expect.objectContaining({ message: expect.stringMatching(message) })],
    });
  });

  test('the executor requires a client for each subgraph', () => {
    const { supergraphSdl } = federation;
    expect(() => new Executor({ supergraphSdl, subgraphs: {} })).toThrow(/"accounts"/);
  });
});

/** Known faults of the stock executor: it is executed too, so that a fix of them is noticed. */
describe('differences from the stock executor', () => {
  test('an error has the path of its entity in a list with objects of other types', async () => {
    const query = '{ things { ... on Film { stock } } }';
    const faults = { fields: { 'Film.stock': 'throws' as const } };
    const [own, stock] = await executeBoth(query, {}, faults);
    expect(own.errors?.[0]?.path).toEqual(['things', 1, 'stock']);
    expect(stock.errors?.[0]?.path).toEqual(['things', 0, 'stock']);
  });

  test('a null variable of @include is an error of the client', async () => {
    const query = 'query ($if: Boolean = true) { me { id @include(if: $if) } }';
    const [own, stock] = await executeBoth(query, { if: null });
    expect(own.errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    expect(own.requests).toHaveLength(0);
    expect(stock.errors?.[0]?.extensions?.code).toBe('DOWNSTREAM_SERVICE_ERROR');
  });

  test('lists of lists are merged, not overwritten', async () => {
    const query = '{ product(sku: "p1") { ... on Book { cover { red green blue } } } }';
    const [own, stock] = await executeBoth(query);
    const cover = [[{ red: 1, green: 3, blue: 7 }, null], [{ red: 4, green: 6, blue: 8 }]];
    expect(own.data).toEqual({ product: { cover } });
    expect(stock.data).not.toEqual(own.data);
  });

  async function executeBoth(...operation: [string, Record<string, unknown>?, object?]) {
    const own = await federation.execute('own', ...operation);
    const stock = await federation.execute('stock', ...operation);
    return [own, stock] as const;
  }
});
