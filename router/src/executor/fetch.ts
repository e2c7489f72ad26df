import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import { type Cursor, type Execution, usedVariables } from './execution.ts';
import { type Failure, noData } from './failures.ts';
import { fetchedNames } from './fetched-names.ts';
import { buildRepresentations, type Representations } from './representations.ts';
import { deepCopy, isTree, merge, placesAt, type Tree } from './response-tree.ts';
import { applyRewrites } from './rewrites.ts';
import {
  type Subgraph,
  type SubgraphResponse,
  subgraphError,
  toValidResponse,
} from './subgraph.ts';

/**
 * Sends the fetch to its subgraph and merges the response into the tree. Where it fails as a whole, the
 * execution knows why the fields of its objects are missing.
 */
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
    const failure = new GraphQLError(message, { originalError: error as Error });
    fail(fetch, cursor.objects, failure, execution);
  }
}

async function fetchFields<Context>(
  fetch: FetchNode,
  { objects, path }: Cursor,
  execution: Execution<Context>,
): Promise<void> {
  const response = await requestSubgraph(fetch, {}, execution);
  const data = response.data ?? null;
  for (const error of reportable(response)) {
    execution.errors.push(
      subgraphError(error, fetch.serviceName, error.path && [...path, ...error.path]),
    );
  }
  if (!data) return fail(fetch, objects, findFailure(fetch, response), execution);
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
  const { types, failures, unresolved } = execution;
  const keys = execution.keys.of(fetch.serviceName);
  const input = { types, keys, failures, unresolved };
  const representations = buildRepresentations(fetch, cursor.objects, input);
  failWithRequired(fetch, representations, cursor, execution);
  const { distinct } = representations;
  if (distinct.length === 0) return;
  const response = await requestSubgraph(fetch, { representations: distinct }, execution);
  reportErrors(fetch, response, representations, cursor, execution);
  const objectsOf = (places: readonly number[]) =>
    places.map((place) => cursor.objects[place] as Tree);
  const received = response.data?._entities;
  if (!Array.isArray(received) || received.length !== distinct.length) {
    const error = response.data
      ? invalidEntities(fetch, `must have an element for each of the ${distinct.length} entities`)
      : findFailure(fetch, response);
    return fail(fetch, objectsOf(representations.entities.flat()), error, execution);
  }
  for (const [at, places] of representations.entities.entries()) {
    const entity = received[at];
    const objects = objectsOf(places);
    if (isTree(entity)) {
      // Each place gets a copy, because later fetches may add different fields below each of them.
      for (const [n, object] of objects.entries()) {
        const part = n === objects.length - 1 ? entity : deepCopy(entity);
        mergeEntity(fetch, object, part, execution);
      }
    } else if (entity === null) {
      unresolved.add(objects, fetchedNames(fetch), null);
    } else {
      const error = invalidEntities(fetch, 'must contain objects and nulls only');
      fail(fetch, objects, error, execution);
    }
  }
}

function mergeEntity<Context>(
  { outputRewrites }: FetchNode,
  entity: Tree,
  received: Tree,
  { types }: Execution<Context>,
): void {
  // The type of an interface object is the interface: the object's own type is known already.
  if (entity.__typename && types.isAbstract(received.__typename)) {
    received.__typename = entity.__typename;
  }
  if (outputRewrites) {
    received.__typename ||= entity.__typename;
    applyRewrites(outputRewrites, received, types);
  }
  merge(entity, received);
}

/** An error of an entity is an error in every place of that entity. */
function reportErrors<Context>(
  { serviceName }: FetchNode,
  response: SubgraphResponse,
  { entities, partial }: Representations,
  { path }: Cursor,
  execution: Execution<Context>,
): void {
  const errors = reportable(response);
  if (errors.length === 0) return;
  const places = placesAt(execution.root, path);
  const everywhere = path.includes('@') ? path.slice(0, path.indexOf('@')) : path;
  for (const error of errors) {
    const [, at, ...rest] = error.path ?? [];
    if (typeof at !== 'number') {
      execution.errors.push(subgraphError(error, serviceName, error.path && everywhere));
      continue;
    }
    const isPartial = partial.has(at) && isTree((response.data?._entities as unknown[])?.[at]);
    for (const place of entities[at] ?? []) {
      const where = [...(places[place] ?? everywhere), ...rest];
      const located = subgraphError(error, serviceName, where);
      execution.errors.push(located);
      if (isPartial) execution.ofPartial.add(located);
    }
  }
}

/** The objects lack the fields of this fetch, because of the error. */
function fail<Context>(
  fetch: FetchNode,
  objects: readonly Tree[],
  error: Failure['error'],
  { failures }: Execution<Context>,
): void {
  failures.add(objects, fetchedNames(fetch), error);
}

/** An entity that lacks a required field because of an earlier failure lacks the fields of this fetch too. */
function failWithRequired<Context>(
  fetch: FetchNode,
  { incomplete }: Representations,
  { objects }: Cursor,
  execution: Execution<Context>,
): void {
  for (const place of incomplete) {
    const object = objects[place] as Tree;
    const failure = execution.failures.findIn(object, fetch.requires ?? []);
    if (failure) fail(fetch, [object], failure.error, execution);
  }
}

/**
 * The errors of a response that are reported as they are. Without data an error that has no path is the
 * reason why the fields are missing, and is reported for each of them.
 */
function reportable({ data, errors = [] }: SubgraphResponse) {
  return data ? errors : errors.filter(({ path }) => path);
}

/** Why a response without data brought nothing; null where its errors say of which fields they are. */
function findFailure(
  { serviceName }: FetchNode,
  { errors = [] }: SubgraphResponse,
): Failure['error'] {
  if (errors.length === 0) return noData(serviceName);
  const error = errors.find(({ path }) => !path);
  return error ? subgraphError(error, serviceName, undefined) : null;
}

function invalidEntities({ serviceName }: FetchNode, rule: string): GraphQLError {
  return new GraphQLError(
    `The response of the subgraph "${serviceName}" is not valid: "_entities" ${rule}.`,
    { extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', serviceName } },
  );
}

/** Never rejects: a subgraph that does not respond has a response with an error. */
async function requestSubgraph<Context>(
  fetch: FetchNode,
  extra: Record<string, unknown>,
  { subgraphs, variables, context }: Execution<Context>,
): Promise<SubgraphResponse> {
  const used = usedVariables(fetch, variables);
  const request = { query: fetch.operation, variables: { ...used, ...extra } };
  try {
    // The executor's constructor has checked that each subgraph has a client.
    const subgraph = subgraphs[fetch.serviceName] as Subgraph<Context>;
    return toValidResponse(await subgraph.send(request, context), fetch.serviceName);
  } catch (error) {
    const { message, extensions } = error as GraphQLError;
    return { errors: [{ message, ...(extensions && { extensions }) }] };
  }
}
