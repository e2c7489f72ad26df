import { expect, test } from '@jest/globals';
import { buildSchema } from 'graphql';
import { applyRewrites } from '../src/executor/rewrites.ts';
import { SupergraphTypes } from '../src/executor/supergraph-types.ts';

const types = new SupergraphTypes(buildSchema('type Query { a: Int }'));

test.each([[0], [''], [false], [null], ['text']])(
  'a rewrite that renames a field keeps its value %j',
  (value) => {
    const tree = { item: { value__alias_0: value } };
    const path = ['item', 'value__alias_0'];
    applyRewrites([{ kind: 'KeyRenamer', path, renameKeyTo: 'value' }], tree, types);
    expect(tree.item).toEqual({ value, value__alias_0: undefined });
  },
);

test('a rewrite does not add a field that the response lacks', () => {
  const tree = { item: {} };
  applyRewrites([{ kind: 'KeyRenamer', path: ['item', 'b'], renameKeyTo: 'a' }], tree, types);
  expect(tree.item).toEqual({});
});
