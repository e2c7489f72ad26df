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

const representations = (asked: RecordedRequest[], subgraph: string) =>
  asked
    .filter((request) => request.subgraph === subgraph)
    .flatMap(({ variables }) => (variables.representations as object[] | undefined) ?? []);

describe('what subgraphs are asked', () => {
  const AUTHORS = '{ reviews { author { email manager { email } } product { sku price } } }';

  test('an entity is asked for once, however often it is there', async () => {
    const { requests: asked, data } = await expectSameResult(federation, AUTHORS);
    expect(data?.reviews).toHaveLength(7);
    expect(representations(asked, 'accounts')).toEqual(
      ['u1', 'u2', 'u3', 'u99'].map((id) => ({ __typename: 'User', id })),
    );
    expect(representations(asked, 'catalog')).toHaveLength(4);
    const stock = await federation.execute('stock', AUTHORS);
    expect(representations(stock.requests, 'accounts')).toHaveLength(6);
    expect(stock.requests).toHaveLength(asked.length);
  });

  test('an error of an entity is told in every place of it', async () => {
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

  test('what differs in one required field is asked for apart', async () => {
    const { requests: asked } = await expectSameResult(
      federation,
      '{ users { reviews { author { label } } } }',
    );
    const labels = representations(asked, 'inventory');
    expect(labels).toHaveLength(3);
    expect(new Set(labels.map((each) => JSON.stringify(each))).size).toBe(3);
  });

  test('fields of a mutation are asked for one after the other', async () => {
    const { requests: asked } = await expectSameResult(
      federation,
      'mutation { a: rename(id: "u1", name: "x") { reviews { id } } b: relabel(sku: "p1", title: "y") { sku } c: forget }',
    );
    expect(asked.map(({ subgraph }) => subgraph)).toEqual([
      'accounts',
      'reviews',
      'catalog',
      'accounts',
    ]);
  });

  test('nothing is asked for that only the schema answers', async () => {
    const { requests: asked } = await expectSameResult(
      federation,
      '{ __schema { types { name } } __typename }',
    );
    expect(asked).toHaveLength(0);
  });
});

describe('operations', () => {
  const query = (n: number) => parse(`{ me { id a${n}: name } }`);

  test('are prepared once', () => {
    const { executor } = federation;
    const first = executor.prepare(query(1));
    expect(executor.prepare(query(1))).toBe(first);
    expect(executor.prepare(query(2))).not.toBe(first);
  });

  test('of one document are told apart by their names', () => {
    const document = parse('query A { me { id } } query B { me { name } }');
    const [a, b] = ['A', 'B'].map((name) => federation.executor.prepare(document, name));
    expect(a).not.toBe(b);
    expect(federation.executor.prepare(document, 'A')).toBe(a);
  });

  test('are forgotten, the least recently used first, when there are too many', () => {
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
  ])('are refused when it is not clear which is meant: %s', (text, name, message) => {
    const prepared = federation.executor.prepare(parse(text), name);
    expect(prepared).toEqual({
      errors: [expect.objectContaining({ message: expect.stringMatching(message) })],
    });
  });

  test('the executor needs a way to every subgraph', () => {
    const { supergraphSdl } = federation;
    expect(() => new Executor({ supergraphSdl, subgraphs: {} })).toThrow(/"accounts"/);
  });
});

/** Where the stock executor is plainly worse; it is asked too, so that a better one is noticed. */
describe('better than the stock executor', () => {
  test('an error is where its entity is, also beside objects of other types', async () => {
    const query = '{ things { ... on Film { stock } } }';
    const faults = { fields: { 'Film.stock': 'throws' as const } };
    const [own, stock] = await askBoth(query, {}, faults);
    expect(own.errors?.[0]?.path).toEqual(['things', 1, 'stock']);
    expect(stock.errors?.[0]?.path).toEqual(['things', 0, 'stock']);
  });

  test('a condition’s variable that is null is an error of the client', async () => {
    const query = 'query ($if: Boolean = true) { me { id @include(if: $if) } }';
    const [own, stock] = await askBoth(query, { if: null });
    expect(own.errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    expect(own.requests).toHaveLength(0);
    expect(stock.errors?.[0]?.extensions?.code).toBe('DOWNSTREAM_SERVICE_ERROR');
  });

  test('lists of lists are merged, not overwritten', async () => {
    const query = '{ product(sku: "p1") { ... on Book { cover { red green blue } } } }';
    const [own, stock] = await askBoth(query);
    const cover = [[{ red: 1, green: 3, blue: 7 }, null], [{ red: 4, green: 6, blue: 8 }]];
    expect(own.data).toEqual({ product: { cover } });
    expect(stock.data).not.toEqual(own.data);
  });

  async function askBoth(...question: [string, Record<string, unknown>?, object?]) {
    const own = await federation.execute('own', ...question);
    const stock = await federation.execute('stock', ...question);
    return [own, stock] as const;
  }
});
