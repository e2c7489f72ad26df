import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner';
import { expect, test } from '@jest/globals';
import { buildSchema, GraphQLError } from 'graphql';
import { Failures } from '../src/executor/failures.ts';
import { buildRepresentations } from '../src/executor/representations.ts';
import type { Tree } from '../src/executor/response-tree.ts';
import { SupergraphTypes } from '../src/executor/supergraph-types.ts';

const types = new SupergraphTypes(
  buildSchema(
    'type Query { post: Post } type Post { id: ID! comments: [Comment] } type Comment { by: ID }',
  ),
);
const field = (name: string, selections?: QueryPlanSelectionNode[]): QueryPlanSelectionNode =>
  selections ? { kind: 'Field', name, selections } : { kind: 'Field', name };
const fetch = {
  kind: 'Fetch',
  serviceName: 'authors',
  operation: '{ _entities(representations: []) { ... on Post { author } } }',
  requires: [
    {
      kind: 'InlineFragment',
      typeCondition: 'Post',
      selections: [field('__typename'), field('id'), field('comments', [field('by')])],
    },
  ],
} as unknown as FetchNode;

function build(post: Tree, failures = new Failures()) {
  const input = { types, keys: new Map(), failures, unresolved: new Failures() };
  return buildRepresentations(fetch, [post], input);
}

test('a representation has what the fetch requires, lists and their nulls included', () => {
  const comments = [{ __typename: 'Comment', by: 'u1' }, null, { by: null }];
  expect(build({ __typename: 'Post', id: 'p1', title: 'no', comments })).toMatchObject({
    distinct: [{ __typename: 'Post', id: 'p1', comments: [{ by: 'u1' }, null, { by: null }] }],
    partial: new Set(),
  });
});

test('a required list is left out where a field in it was not fetched, and is not sent with nulls', () => {
  const comments = [{ __typename: 'Comment', id: 'c1' }, null];
  expect(build({ __typename: 'Post', id: 'p1', comments })).toMatchObject({
    distinct: [{ __typename: 'Post', id: 'p1' }],
    partial: new Set([0]),
  });
});

test('an object has what was fetched of it, where conditions left out what else was required', () => {
  const selections = [field('__typename'), field('id'), field('size', [field('w'), field('h')])];
  const requires = [{ kind: 'InlineFragment', typeCondition: 'Post', selections }];
  const input = { types, keys: new Map(), failures: new Failures(), unresolved: new Failures() };
  const buildOf = (size: unknown) =>
    buildRepresentations(
      { ...fetch, requires } as FetchNode,
      [{ __typename: 'Post', id: 'p1', size }],
      input,
    );
  expect(buildOf({ w: 1 })).toMatchObject({
    distinct: [{ size: { w: 1 } }],
    partial: new Set([0]),
  });
  expect(buildOf([{ w: 1 }, {}, null]).distinct).toEqual([
    { __typename: 'Post', id: 'p1', size: [{ w: 1 }, {}, null] },
  ]);
  expect(buildOf({}).distinct).toEqual([{ __typename: 'Post', id: 'p1' }]);
});

test('an object of a required list whose fetch failed is a null in it', () => {
  const [failed, whole] = [{ __typename: 'Comment' }, { __typename: 'Comment', by: 'u1' }];
  const failures = new Failures();
  failures.add([failed], new Set(['by']), new GraphQLError('no response'));
  expect(
    build({ __typename: 'Post', id: 'p1', comments: [failed, whole] }, failures),
  ).toMatchObject({
    distinct: [{ __typename: 'Post', id: 'p1', comments: [null, { by: 'u1' }] }],
    partial: new Set(),
  });
});
