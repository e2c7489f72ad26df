import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Cursor, type Execution, usedVariables } from './execution.ts';
import { type Representations, representationsOf } from './representations.ts';
import { copyOf, isTree, merge, placesAt, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import { subgraphError } from './subgraph.ts';

/** Asks the subgraph and merges its answer into the tree. What goes wrong is written to the errors. */
export async function executeFetch<Context>(
  fetch: FetchNode,
  cursor: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  if (cursor.objects.length === 0) return;
  try {
    if (fetch.requires) await fetchEntities(fetch, cursor, execution);
    else await fetchFields(fetch, cursor, execution);
  } catch (error) {
    // It costs this fetch's fields; the others are answered.
    const { message } = error as Error;
    const known = error instanceof GraphQLError;
    execution.errors.push(
      known ? error : new GraphQLError(message, { originalError: error as Error }),
    );
  }
}

async function fetchFields<Context>(
  fetch: FetchNode,
  { objects, path }: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  const { data, errors } = await ask(fetch, {}, execution);
  for (const error of errors ?? []) {
    execution.errors.push(
      subgraphError(error, fetch.serviceName, error.path && [...path, ...error.path]),
    );
  }
  if (!data) return;
  applyRewrites(fetch.outputRewrites, data, execution.types);
  const [first, ...others] = objects;
  for (const object of others) merge(object, copyOf(data));
  if (first) merge(first, data);
}

async function fetchEntities<Context>(
  fetch: FetchNode,
  cursor: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  const representations = representationsOf(fetch, cursor.objects, execution.types);
  if (representations.distinct.length === 0) return;
  if (fetch.variableUsages?.includes('representations')) {
    throw new Error('Variables cannot contain key "representations"');
  }
  const { data, errors } = await ask(
    fetch,
    { representations: representations.distinct },
    execution,
  );

  if (errors) reportErrors(fetch, errors, representations, cursor, execution);
  if (!data) return;
  const received = data._entities;
  if (!Array.isArray(received)) {
    throw new Error('Expected "data._entities" in response to be an array');
  }
  if (received.length !== representations.distinct.length) {
    throw new Error(
      `Expected "data._entities" to contain ${representations.distinct.length} elements`,
    );
  }
  representations.entities.forEach((places, at) => {
    const answer = received[at];
    if (!isTree(answer)) return;
    // Each place gets its own: what lies deeper may be given other fields in each of them.
    places.forEach((place, n) => {
      const part = n === places.length - 1 ? answer : copyOf(answer);
      mergeEntity(fetch, cursor.objects[place] as Tree, part, execution);
    });
  });
}

function mergeEntity<Context>(
  { outputRewrites }: FetchNode,
  entity: Tree,
  received: Tree,
  { types }: Execution<Context>,
): void {
  if (outputRewrites) {
    received.__typename ||= entity.__typename;
    applyRewrites(outputRewrites, received, types);
  }
  merge(entity, received);
}

/** An error of an entity is an error in every place of that entity. */
function reportErrors<Context>(
  { serviceName }: FetchNode,
  errors: readonly GraphQLFormattedError[],
  { entities }: Representations,
  { path }: Cursor,
  execution: Execution<Context>,
): void {
  const places = placesAt(execution.root, path);
  const everywhere = path.includes('@') ? path.slice(0, path.indexOf('@')) : path;
  for (const error of errors) {
    const [, at, ...rest] = error.path ?? [];
    if (typeof at !== 'number') {
      execution.errors.push(subgraphError(error, serviceName, error.path && everywhere));
      continue;
    }
    for (const place of entities[at] ?? []) {
      const where = [...(places[place] ?? everywhere), ...rest];
      execution.errors.push(subgraphError(error, serviceName, where));
    }
  }
}

async function ask<Context>(
  fetch: FetchNode,
  extra: Record<string, unknown>,
  { subgraphs, variables, context }: Execution<Context>,
) {
  const subgraph = subgraphs[fetch.serviceName];
  if (!subgraph) throw new Error(`Couldn't find service with name "${fetch.serviceName}"`);
  const used = usedVariables(fetch, variables);
  return subgraph.ask({ query: fetch.operation, variables: { ...used, ...extra } }, context);
}
