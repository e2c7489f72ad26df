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

interface Event {
  subscription: string;
  rootValue: unknown;
  variables?: Record<string, unknown>;
  faults?: Faults;
}

/** What subscribers are sent, as JSON. */
async function sent({ subscription, rootValue, variables, faults }: Event): Promise<Result> {
  const { executor, injectFaults: suffer, requests: asked } = federation;
  asked.length = 0;
  suffer(faults ?? {});
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

describe('an event is answered as the query would be', () => {
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
    test.each(['u1', 'u3', 'u4'])(`${name}: %s`, async (id) => {
      const [set, ...fragments] = selections.split(/(?=\bfragment )/);
      const operation = (kind: string, field: string) =>
        `${kind} ($id: ID!${variables ? ', $yes: Boolean!, $no: Boolean!' : ''})
         { changed: ${field}(id: $id) ${set} } ${fragments.join(' ')}`;
      const given = { ...variables, id };
      const queried = await federation.execute('stock', operation('query', 'user'), given);
      const subscription = operation('subscription', 'userChanged');
      const answer = await sent({ subscription, rootValue: userEvent(id), variables: given });
      expectSame(answer, queried);
    });
  }

  test('of an abstract type', async () => {
    const set = '{ __typename sku title rating ... on Book { pages shipping author { name } } }';
    for (const sku of ['p1', 'p2', 'p5']) {
      const queried = await federation.execute('stock', `{ product(sku: "${sku}") ${set} }`);
      const subscription = `subscription { product: productChanged(sku: "${sku}") ${set} }`;
      expectSame(await sent({ subscription, rootValue: productEvent(sku) }), queried);
    }
  });
});

describe('an event', () => {
  const USER = 'subscription { userChanged(id: "u1") { id name reviews { id } } }';

  test('without anything from others asks nobody', async () => {
    const subscription = 'subscription { userChanged(id: "u1") { id name } }';
    const answer = await sent({ subscription, rootValue: userEvent('u1') });
    expect(answer).toEqual({ data: { userChanged: { id: 'u1', name: 'User 1' } } });
    expect(federation.requests).toHaveLength(0);
  });

  test('that is null is null', async () => {
    expect(await sent({ subscription: USER, rootValue: null })).toEqual({
      data: { userChanged: null },
    });
    expect(federation.requests).toHaveLength(0);
  });

  test('that lacks what may not be null is null, with the error', async () => {
    const subscription = 'subscription { who: userChanged(id: "u1") { name mail: email } }';
    const answer = await sent({ subscription, rootValue: { id: 'u1', name: 'Kim' } });
    expect(answer.data).toEqual({ who: null });
    expect(answer.errors).toMatchObject([
      { path: ['who', 'mail'], extensions: { serviceName: 'accounts' } },
    ]);
  });

  test('keeps its own fields when another subgraph fails', async () => {
    const faults: Faults = { subgraphs: { reviews: 'rejects' } };
    const answer = await sent({ subscription: USER, rootValue: userEvent('u1'), faults });
    expect(answer.data).toEqual({ userChanged: { id: 'u1', name: 'User 1', reviews: null } });
    expect(answer.errors).toHaveLength(1);
  });

  test('is not changed by being answered', async () => {
    const rootValue = userEvent('u2');
    const before = JSON.stringify(rootValue);
    const set = '{ manager { id label reviews { id } } reports { label } settings }';
    await sent({ subscription: `subscription { userChanged(id: "u2") ${set} }`, rootValue });
    expect(JSON.stringify(rootValue)).toBe(before);
  });
});

describe('a subscription', () => {
  test('tells its root field, with its arguments', () => {
    const subscription =
      'subscription ($id: ID!) { it: userChanged(id: $id) { id reviews { id } } }';
    expect(federation.executor.rootField(prepare(subscription), { id: 7 })).toEqual({
      serviceName: 'accounts',
      name: 'userChanged',
      arguments: { id: '7', since: 0 },
    });
  });

  test('has its variables checked', () => {
    const prepared = prepare('subscription ($id: ID!) { userChanged(id: $id) { id } }');
    expect(federation.executor.checkVariables(prepared, { id: 'u1' })).toEqual([]);
    expect(federation.executor.checkVariables(prepared, {})).toMatchObject([
      { message: expect.stringContaining('$id') },
    ]);
  });

  test('has no single answer', async () => {
    const subscription = 'subscription { userChanged(id: "u1") { id } }';
    const { errors, data } = await federation.execute('own', subscription);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions?.code).toBe('BAD_REQUEST');
  });
});
