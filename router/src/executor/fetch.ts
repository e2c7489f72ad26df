import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Cursor, type Execution, usedVariables } from './execution.ts';
import { buildRepresentations, type Representations } from './representations.ts';
import { deepCopy, isTree, merge, placesAt, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import { subgraphError } from './subgraph.ts';

/** Sends the fetch to its subgraph and merges the response into the tree. Failures become errors. */
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
    // Only the fields of this fetch are missing; the execution goes on.
    const { message } = error as Error;
    const isGraphQLError = error instanceof GraphQLError;
    execution.errors.push(
      isGraphQLError ? error : new GraphQLError(message, { originalError: error as Error }),
    );
  }
}

async function fetchFields<Context>(
  fetch: FetchNode,
  { objects, path }: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  const { data, errors } = await requestSubgraph(fetch, {}, execution);
  for (const error of errors ?? []) {
    execution.errors.push(
      subgraphError(error, fetch.serviceName, error.path && [...path, ...error.path]),
    );
  }
  if (!data) return;
  applyRewrites(fetch.outputRewrites, data, execution.types);
  const [first, ...others] = objects;
  for (const object of others) merge(object, deepCopy(data));
  if (first) merge(first, data);
}

async function fetchEntities<Context>(
  fetch: FetchNode,
  cursor: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  const representations = buildRepresentations(fetch, cursor.objects, execution.types);
  if (representations.distinct.length === 0) return;
  if (fetch.variableUsages?.includes('representations')) {
    throw new Error('Variables cannot contain key "representations"');
  }
  const { data, errors } = await requestSubgraph(
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
    const entity = received[at];
    if (!isTree(entity)) return;
    // Each place gets a copy, because later fetches may add different fields below each of them.
    places.forEach((place, n) => {
      const part = n === places.length - 1 ? entity : deepCopy(entity);
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

async function requestSubgraph<Context>(
  fetch: FetchNode,
  extra: Record<string, unknown>,
  { subgraphs, variables, context }: Execution<Context>,
) {
  const subgraph = subgraphs[fetch.serviceName];
  if (!subgraph) throw new Error(`Couldn't find service with name "${fetch.serviceName}"`);
  const used = usedVariables(fetch, variables);
  return subgraph.send({ query: fetch.operation, variables: { ...used, ...extra } }, context);
}
