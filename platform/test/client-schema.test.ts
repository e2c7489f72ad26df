import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  breakingSchemaChanges,
  printClientSchema,
} from '../../scripts/contracts/client-schema.mjs';
import { projectFile } from '../config/project.ts';

const BEFORE = `
  enum Status { PAID CANCELLED }
  input Filter { status: Status }
  type Query { bookings(filter: Filter): [String!]! status: Status }`;

test.each([
  ['a removed field', BEFORE.replace('status: Status }', '}'), /Filter|status/],
  ['a nullable list', BEFORE.replace('[String!]!', '[String!]'), /changed type/],
  ['a required argument', BEFORE.replace('filter: Filter', 'filter: Filter!'), /Filter!/],
  ['a removed value', BEFORE.replace('PAID ', ''), /PAID/],
])('the client schema breaks by %s', async (_, now, sentence) => {
  const changes = await breakingSchemaChanges(
    BEFORE,
    now.replace('input Filter { }', 'input Filter { other: Int }'),
  );
  expect(changes.join('\n')).toMatch(sentence);
});

test.each([
  ['nothing', BEFORE],
  ['a new field', BEFORE.replace('type Query {', 'type Query { more: Int')],
  ['a new optional argument', BEFORE.replace('filter: Filter)', 'filter: Filter, first: Int)')],
  ['a new value', BEFORE.replace('PAID', 'PAID STUCK')],
])('the client schema does not break by %s', async (_, now) => {
  expect(await breakingSchemaChanges(BEFORE, now)).toEqual([]);
});

test('api.graphql is the client schema, without what clients cannot see', async () => {
  const text = await printClientSchema(projectFile('.'));
  expect(readFileSync(projectFile('api.graphql'), 'utf8')).toBe(text);
  expect(text).not.toMatch(/approvePayment|join__/);
  const baseline = readFileSync(projectFile('contracts/baseline/api.graphql'), 'utf8');
  expect(await breakingSchemaChanges(baseline, text)).toEqual([]);
});
