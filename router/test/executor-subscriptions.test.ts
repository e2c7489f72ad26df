import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import type { PreparedOperation } from '../src/executor/operations.ts';
import { accounts, userEvent } from './federation/accounts.ts';
import { catalog, productEvent } from './federation/catalog.ts';
import { expectSame } from './federation/compare.ts';
import { type Federation, federate, type Result } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { reviewing } from './federation/reviews.ts';
import type { Faults } from './federation/subgraph.ts';

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

interface SubscriptionCase {
  subscription: string;
  rootValue: unknown;
  variables?: Record<string, unknown>;
  faults?: Faults;
}

/** The result that subscribers get, as JSON. */
async function execute({
  subscription,
  rootValue,
  variables,
  faults,
}: SubscriptionCase): Promise<Result> {
  const { executor, injectFaults, requests } = federation;
  requests.length = 0;
  injectFaults(faults ?? {});
  const result = await executor.executeEvent(prepare(subscription), {
    rootValue,
    variables,
    context: {},
  });
  return JSON.parse(JSON.stringify(result));
}

function prepare(subscription: string): PreparedOperation {
  const prepared = federation.executor.prepare(parse(subscription));
  if ('errors' in prepared) throw prepared.errors[0];
  return prepared;
}

describe('the result of an event', () => {
  const cases: [name: string, selections: string, variables?: Record<string, unknown>][] = [
    ['with its own fields alone', '{ id name tone tags grid settings }'],
    ['under other names', '{ key: id called: name manager { name: id who: name } born: email }'],
    [
      'with two other subgraphs',
      '{ id reviews { id product { title } } label favourite { __typename } }',
    ],
    [
      'with typenames',
      '{ __typename t: __typename manager { __typename } reports { __typename id } }',
    ],
    [
      'with objects in it',
      '{ address { street city geo { lat lon } } manager { manager { email label } } }',
    ],
    [
      'with lists of entities',
      '{ reports { id reviews { stars } } reviews { author { name label } } }',
    ],
    [
      'through fragments',
      '{ ...A ... on User { email } } fragment A on User { name reviews { ...B } } fragment B on Review { stars }',
    ],
    [
      'with conditions',
      '{ id @skip(if: $no) name @include(if: $no) reviews @include(if: $yes) { id } label @skip(if: $yes) }',
      { yes: true, no: false },
    ],
    ['with nothing of its own', '{ reviews { id } }'],
  ];
  for (const [name, selections, variables] of cases) {
    test.each(['u1', 'u3', 'u4'])(`an event has the result of a query ${name}: %s`, async (id) => {
      const [set, ...fragments] = selections.split(/(?=\bfragment )/);
      const operation = (kind: string, field: string) =>
        `${kind} ($id: ID!${variables ? ', $yes: Boolean!, $no: Boolean!' : ''})
         { changed: ${field}(id: $id) ${set} } ${fragments.join(' ')}`;
      const allVariables = { ...variables, id };
      const queried = await federation.execute('stock', operation('query', 'user'), allVariables);
      const subscription = operation('subscription', 'userChanged');
      const result = await execute({
        subscription,
        rootValue: userEvent(id),
        variables: allVariables,
      });
      expectSame(result, queried);
    });
  }

  test('an event of an abstract type has the result of a query', async () => {
    const set = '{ __typename sku title rating ... on Book { pages shipping author { name } } }';
    for (const sku of ['p1', 'p2', 'p5']) {
      const queried = await federation.execute('stock', `{ product(sku: "${sku}") ${set} }`);
      const subscription = `subscription { product: productChanged(sku: "${sku}") ${set} }`;
      expectSame(await execute({ subscription, rootValue: productEvent(sku) }), queried);
    }
  });
});

describe('an event', () => {
  const USER = 'subscription { userChanged(id: "u1") { id name reviews { id } } }';

  test('an event with its own fields only sends no request', async () => {
    const subscription = 'subscription { userChanged(id: "u1") { id name } }';
    const result = await execute({ subscription, rootValue: userEvent('u1') });
    expect(result).toEqual({ data: { userChanged: { id: 'u1', name: 'User 1' } } });
    expect(federation.requests).toHaveLength(0);
  });

  test('a null event has a null result', async () => {
    expect(await execute({ subscription: USER, rootValue: null })).toEqual({
      data: { userChanged: null },
    });
    expect(federation.requests).toHaveLength(0);
  });

  test('an event without a non-null field has a null result and an error', async () => {
    const subscription = 'subscription { who: userChanged(id: "u1") { name mail: email } }';
    const result = await execute({ subscription, rootValue: { id: 'u1', name: 'Kim' } });
    expect(result.data).toEqual({ who: null });
    expect(result.errors).toMatchObject([
      { path: ['who', 'mail'], extensions: { serviceName: 'accounts' } },
    ]);
  });

  test('an event keeps its own fields when another subgraph fails', async () => {
    const faults: Faults = { subgraphs: { reviews: 'rejects' } };
    const result = await execute({ subscription: USER, rootValue: userEvent('u1'), faults });
    expect(result.data).toEqual({ userChanged: { id: 'u1', name: 'User 1', reviews: null } });
    expect(result.errors).toHaveLength(1);
  });

  test('the root value of an event is not modified', async () => {
    const rootValue = userEvent('u2');
    const before = JSON.stringify(rootValue);
    const set = '{ manager { id label reviews { id } } reports { label } settings }';
    await execute({ subscription: `subscription { userChanged(id: "u2") ${set} }`, rootValue });
    expect(JSON.stringify(rootValue)).toBe(before);
  });
});

describe('a subscription', () => {
  test('the root field of a subscription has coerced arguments', () => {
    const subscription =
      'subscription ($id: ID!) { it: userChanged(id: $id) { id reviews { id } } }';
    expect(federation.executor.rootField(prepare(subscription), { id: 7 })).toEqual({
      serviceName: 'accounts',
      name: 'userChanged',
      arguments: { id: '7', since: 0 },
    });
  });

  test('the variables of a subscription are checked', () => {
    const prepared = prepare('subscription ($id: ID!) { userChanged(id: $id) { id } }');
    expect(federation.executor.checkVariables(prepared, { id: 'u1' })).toEqual([]);
    expect(federation.executor.checkVariables(prepared, {})).toMatchObject([
      { message: expect.stringContaining('$id') },
    ]);
  });

  test('a subscription that is executed as a query is refused', async () => {
    const subscription = 'subscription { userChanged(id: "u1") { id } }';
    const { errors, data } = await federation.execute('own', subscription);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions?.code).toBe('BAD_REQUEST');
  });
});
