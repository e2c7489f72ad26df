import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accounts } from './federation/accounts.ts';
import { catalog } from './federation/catalog.ts';
import { expectSameResult } from './federation/compare.ts';
import { type Federation, federate } from './federation/executors.ts';
import { inventory } from './federation/inventory.ts';
import { reviewing } from './federation/reviews.ts';
import type { Faults } from './federation/subgraph.ts';

let federation: Federation;
beforeAll(async () => {
  federation = await federate([accounts, catalog, inventory, reviewing]);
});
afterAll(() => federation.stop());

const MANY =
  '{ me { name label reviews { stars product { title price ... on Book { shipping } } } } }';
const STRICT = '{ strictUsers { id name lastReview { id author { email } } } }';

describe('when subgraphs fail', () => {
  const cases: [name: string, query: string, faults: Faults][] = [
    ['a subgraph does not respond', MANY, { subgraphs: { reviews: 'rejects' } }],
    ['the first subgraph does not respond', MANY, { subgraphs: { accounts: 'rejects' } }],
    [
      'no subgraph responds',
      MANY,
      { subgraphs: { accounts: 'rejects', catalog: 'rejects', reviews: 'rejects' } },
    ],
    ['a subgraph responds without data', MANY, { subgraphs: { catalog: 'empty' } }],
    ['a subgraph responds only with an error', MANY, { subgraphs: { catalog: 'refuses' } }],
    ['a required field is missing', MANY, { subgraphs: { inventory: 'refuses' } }],
    [
      'a list of entities',
      '{ products { sku rating reviews { id } } }',
      { subgraphs: { reviews: 'rejects' } },
    ],
    [
      'in a mutation',
      'mutation { a: rename(id: "u1", name: "Kim") { id } b: relabel(sku: "p1", title: "x") { sku } c: rename(id: "u2", name: "Lee") { id } }',
      { subgraphs: { catalog: 'rejects' } },
    ],
    [
      'with the schema',
      '{ me { id } __type(name: "User") { name } }',
      { subgraphs: { accounts: 'rejects' } },
    ],
    ['non-null fields of entities', STRICT, { subgraphs: { reviews: 'rejects' } }],
    ['non-null fields without a reason', STRICT, { subgraphs: { reviews: 'empty' } }],
  ];
  for (const [name, query, faults] of cases) {
    test(`both executors have the same result when subgraphs fail: ${name}`, async () => {
      await expectSameResult(federation, query, undefined, faults);
    });
  }
});

describe('when fields fail', () => {
  const cases: [name: string, query: string, fields: Faults['fields']][] = [
    ['a field', '{ me { id name email } }', { 'User.name': 'throws' }],
    ['a non-null field', '{ me { id email } version }', { 'User.email': 'throws' }],
    ['a non-null field that is null', '{ me { id tone } version }', { 'User.tone': 'null' }],
    ['the root, null', '{ strictUser(id: "missing") { id } me { name } }', {}],
    [
      'the root, in another subgraph',
      '{ strictUser(id: "u1") { lastReview { id } } products { sku } }',
      { 'User.lastReview': 'throws' },
    ],
    [
      'the field of one entity',
      '{ reviews { author { id email } } }',
      { 'User(u1).email': 'throws' },
    ],
    [
      'the field of each entity',
      '{ users { id reviews { stars } } }',
      { 'User.reviews': 'throws' },
    ],
    [
      'a deep field of an entity',
      '{ users { id reviews { stars body } } }',
      { 'Review(r2).stars': 'throws' },
    ],
    [
      'a field of an interface object',
      '{ products { sku title best { id } } }',
      { 'Product(p2).best': 'null' },
    ],
    [
      'a non-null list',
      '{ strictUsers { id reports { id } } }',
      { 'User(u2).email': 'throws', 'User.reports': 'throws' },
    ],
    [
      'a list of non-null entities',
      '{ strictProducts { sku best { stars } } }',
      { 'Product(p3).best': 'throws' },
    ],
    [
      'lists of lists, of non-nulls',
      '{ strictShelves { sku best { stars } } }',
      { 'Product(p3).best': 'throws' },
    ],
    [
      'a list of nullable entities',
      '{ products { sku best { stars } } }',
      { 'Product(p3).best': 'throws' },
    ],
    ['null up to the root', '{ strictUsers { id lastReview { id } } version }', {}],
    [
      'a field for @requires is null',
      '{ strictProducts { ... on Book { shipping } } }',
      { 'Book.weight': 'null' },
    ],
    [
      'a field for @requires fails',
      '{ strictProducts { ... on Book { shipping } } }',
      { 'Book.size': 'throws' },
    ],
    [
      'a field of a key fails',
      '{ reviews { product { title } author { label } } }',
      { 'User.email': 'throws', 'Product.sku': 'throws' },
    ],
    [
      'a non-null field of another type',
      '{ things { ... on Film { sku stock } ... on Note { text } } }',
      { 'Film.stock': 'null' },
    ],
    [
      'several at once',
      MANY,
      {
        'User.name': 'throws',
        'Book.shipping': 'throws',
        'Book.title': 'null',
        'Review(r3).stars': 'null',
      },
    ],
    [
      'under an alias',
      '{ someone: me { nick: nickname more: reviews { of: product { called: title } } } }',
      { 'User.nickname': 'throws', 'Book.title': 'throws' },
    ],
    [
      'with one name in two fragments',
      '{ me { ...A ...B } } fragment A on User { lastReview { body } } fragment B on User { lastReview { stars id } }',
      { 'Review.stars': 'null' },
    ],
  ];
  for (const [name, query, fields] of cases) {
    test(`both executors have the same result when fields fail: ${name}`, async () => {
      await expectSameResult(federation, query, undefined, { fields });
    });
  }
});

describe('when a request is invalid', () => {
  const cases: [name: string, query: string, variables: Record<string, unknown>][] = [
    ['a variable that is missing', 'query ($id: ID!) { user(id: $id) { id } }', {}],
    [
      'a variable of another type',
      'query ($id: ID!) { user(id: $id) { id } }',
      { id: { no: 'id' } },
    ],
    ['an unknown enum value', 'query ($t: Tone) { greeting(tone: $t) }', { t: 'SILENT' }],
    ['an enum value that is hidden', 'query ($t: Tone) { greeting(tone: $t) }', { t: 'HIDDEN' }],
    [
      'an unknown field of an input object',
      'query ($f: UserFilter) { users(filter: $f) { id } }',
      { f: { old: true } },
    ],
    ['a field that is hidden', '{ me { internalNote } }', {}],
  ];
  for (const [name, query, variables] of cases) {
    test(`both executors refuse ${name}`, async () => {
      const { errors, requests } = await expectSameResult(federation, query, variables);
      expect(errors).toHaveLength(1);
      expect(requests).toHaveLength(0);
    });
  }
});
