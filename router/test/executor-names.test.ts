import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { readPlannerNames, toPlannedDocument } from '../src/executor/planned-document.ts';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { reviewing } from './federation/reviews.ts';

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

/** Each query beside the same one under names that nobody else uses. */
const cases: [name: string, query: string, plain: string][] = [
  [
    'of a required field',
    '{ product(sku: "p1") { ... on Book { weight: price shipping } } }',
    '{ product(sku: "p1") { ... on Book { x_weight: price shipping } } }',
  ],
  [
    'of a field inside a required one',
    '{ product(sku: "p1") { ... on Book { size { width: height } shipping } } }',
    '{ product(sku: "p1") { ... on Book { size { x_width: height } shipping } } }',
  ],
  [
    'of a key',
    '{ product(sku: "p1") { sku: title rating } }',
    '{ product(sku: "p1") { x_sku: title rating } }',
  ],
  [
    'of the key of entities in a list',
    '{ me { reviews { id: body author { id: name email } } } }',
    '{ me { reviews { x_id: body author { x_id: name email } } } }',
  ],
  [
    'of __typename, a key',
    '{ me { __typename: id reviews { stars } } }',
    '{ me { x___typename: id reviews { stars } } }',
  ],
  [
    'of a key, on __typename',
    '{ me { id: __typename reviews { stars } } }',
    '{ me { x_id: __typename reviews { stars } } }',
  ],
  [
    'of different fields in fragments on different types',
    '{ products { rating ... on Book { sku: title } ... on Film { sku: shipping } } }',
    '{ products { rating ... on Book { x_sku: title } ... on Film { x_sku: shipping } } }',
  ],
  [
    'of a field that a fragment selects under its own name elsewhere',
    '{ product(sku: "p1") { ...A } other: product(sku: "p2") { ...B } } fragment A on Product { sku: title rating } fragment B on Product { sku rating }',
    '{ product(sku: "p1") { ...A } other: product(sku: "p2") { ...B } } fragment A on Product { x_sku: title rating } fragment B on Product { sku rating }',
  ],
  ['of a key, at the root', '{ id: me { id: name label } }', '{ x_id: me { x_id: name label } }'],
  [
    'of what an inactive condition leaves out',
    'query ($no: Boolean = false) { product(sku: "p1") { sku: title @include(if: $no) rating } }',
    'query ($no: Boolean = false) { product(sku: "p1") { x_sku: title @include(if: $no) rating } }',
  ],
];

describe('a client that gives a field the name of another one', () => {
  test.each(cases)('gets the right values under the name %s', async (_name, query, plain) => {
    const own = await federation.execute('own', query);
    const expected = await federation.execute('own', plain);
    expect(expected.errors).toBeUndefined();
    expect(JSON.stringify(own.data)).toBe(JSON.stringify(expected.data).replaceAll('"x_', '"'));
    expect(own.errors).toBeUndefined();
  });

  test('finds its own names in the paths of errors', async () => {
    const faults = { fields: { 'Book.title': 'throws' as const } };
    const { errors } = await federation.execute(
      'own',
      '{ products { sku: title rating } }',
      {},
      faults,
    );
    expect(errors?.map(({ path }) => path)).toContainEqual(['products', 0, 'sku']);
  });

  test('may call a variable "representations"', async () => {
    const query =
      'query ($representations: ID!) { user(id: $representations) { name reviews { stars } } }';
    const own = await federation.execute('own', query, { representations: 'u1' });
    const plain = await federation.execute('own', query.replaceAll('representations', 'id'), {
      id: 'u1',
    });
    expect(own.data).toEqual(plain.data);
    expect(own.errors).toBeUndefined();
    const missing = await federation.execute('own', query);
    expect(missing.errors?.[0]?.message).toContain('"$representations"');
  });

  test('never chooses what a subgraph receives as a key', async () => {
    const { requests } = await federation.execute(
      'own',
      '{ product(sku: "p1") { sku: title rating } }',
    );
    expect(requests.at(-1)?.variables).toEqual({
      representations: [{ __typename: 'Product', sku: 'p1' }],
    });
  });
});

describe('a planned document', () => {
  const names = () => readPlannerNames(parse(federation.supergraphSdl));

  test('a document without the names of keys and required fields is planned as it is', () => {
    const document = parse('{ me { id nick: nickname reviews { stars } } }');
    expect(toPlannedDocument(document, names()).document).toBe(document);
  });

  test('the names of the plan are none that the client uses', () => {
    const document = parse('{ me { id: name client_id_name: nickname } }');
    const { clientNames } = toPlannedDocument(document, names());
    expect([...clientNames]).toEqual([['client_id_name_', 'id']]);
  });

  test('the schema keeps the names that the client gives it', async () => {
    const query = '{ id: __type(name: "User") { id: name __typename: kind } }';
    const { data } = await federation.execute('own', query);
    expect(data).toEqual({ id: { id: 'User', __typename: 'OBJECT' } });
  });
});

describe('a field whose fields are all left out', () => {
  test.each([
    ['contradicts them', 'query ($a: Boolean!) { me @skip(if: $a) { name @include(if: $a) } }'],
    ['is not conditional', 'query ($a: Boolean!) { me { name @include(if: $a) } }'],
    ['leaves them out always', '{ me { name @skip(if: true) } }'],
    [
      'contradicts a fragment',
      'query ($a: Boolean!) { ...F @skip(if: $a) } fragment F on Query { me { ...G } } fragment G on User { name @include(if: $a) }',
    ],
  ])('is an object without fields: one that %s', async (_name, query) => {
    const { data, errors } = await federation.execute('own', query, { a: false });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ me: {} });
  });
});

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
  import: ["@key", "@external", "@requires"])`;

describe('what a subgraph requires', () => {
  let parcels: Federation;
  beforeAll(async () => {
    const parcel = { __typename: 'Parcel', id: 'i1', code: 'c1' };
    const weight = (_: unknown, { unit }: { unit: string }) => (unit === 'KG' ? 2 : 4.4);
    parcels = await federate([
      {
        name: 'parcels',
        typeDefs: `${LINK} type Query { parcel: Parcel parcels: [Parcel] } type Mutation { send: Parcel }
          type Parcel @key(fields: "id code") { id: ID! code: ID! weight(unit: String = "LB"): Float }`,
        resolvers: {
          Query: { parcel: () => parcel, parcels: () => [parcel, null, parcel] },
          Mutation: { send: () => parcel },
          Parcel: { __resolveReference: () => parcel, weight },
        },
      },
      {
        name: 'shipping',
        typeDefs: `${LINK} type Query { sent: Parcel }
          type Parcel @key(fields: "id", resolvable: false) @key(fields: "code") {
            id: ID! code: ID!
            weight(unit: String = "LB"): Float @external
            price: Int @requires(fields: "weight(unit: \\"KG\\")")
            stamps: Int @requires(fields: "weight(unit: \\"LB\\")")
          }`,
        resolvers: {
          Query: { sent: () => parcel },
          Parcel: {
            // Only the resolvable key identifies a parcel.
            __resolveReference: (given: { code?: string }) => (given.code ? given : null),
            price: ({ weight }: { weight: number }) => weight * 100,
            stamps: ({ weight }: { weight: number }) => Math.ceil(weight),
          },
        },
      },
    ]);
  });
  afterAll(() => parcels.stop());

  test.each([
    ['with arguments of the client', '{ parcel { weight(unit: "LB") price } }'],
    ['with the default arguments', '{ parcel { weight price } }'],
  ])('a required field keeps both values %s', async (_name, query) => {
    const { data, errors } = await parcels.execute('own', query);
    expect(errors).toBeUndefined();
    expect(data).toEqual({ parcel: { weight: 4.4, price: 200 } });
    const stock = await parcels.execute('stock', query);
    expect(stock.data).not.toEqual(data);
  });

  test('two fields may require one field with different arguments', async () => {
    const both = { stamps: 5, id: 'i1', price: 200 };
    const query =
      '{ parcels { ...F price } parcel { stamps id price } } fragment F on Parcel { stamps id }';
    const { data, errors } = await parcels.execute('own', query);
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).toBe(
      JSON.stringify({ parcels: [both, null, both], parcel: both }),
    );
    const stock = await parcels.execute('stock', query);
    expect(stock.data).not.toEqual(data);
  });

  test('two fields with such requirements have their own errors', async () => {
    const faults = { fields: { 'Parcel.price': 'throws' as const } };
    const { data, errors } = await parcels.execute(
      'own',
      '{ parcel { price stamps } }',
      {},
      faults,
    );
    expect(data).toEqual({ parcel: { price: null, stamps: 5 } });
    expect(errors?.map(({ path }) => path)).toEqual([['parcel', 'price']]);
    const common = { fields: { 'Parcel.code': 'throws' as const } };
    const failed = await parcels.execute('own', '{ parcel { price stamps code } }', {}, common);
    expect(failed.data).toEqual({ parcel: null });
    expect(failed.errors?.map(({ path }) => path)).toEqual([['parcel', 'code']]);
  });

  test('a mutation with such fields is refused, because its parts would be executed twice', async () => {
    const { data, errors, requests } = await parcels.execute(
      'own',
      'mutation { send { price stamps } }',
    );
    expect(data).toBeUndefined();
    expect(errors?.[0]?.message).toContain('Select them in separate operations');
    expect(requests).toEqual([]);
    const one = await parcels.execute('own', 'mutation { send { price } }');
    expect(one.data).toEqual({ send: { price: 200 } });
  });

  test('a key that a subgraph cannot resolve is not sent to it', async () => {
    const { data } = await parcels.execute('own', '{ sent { price } }');
    expect(data).toEqual({ sent: { price: 200 } });
    const stock = await parcels.execute('stock', '{ sent { price } }');
    expect(stock.data).toEqual({ sent: { price: null } });
  });
});
