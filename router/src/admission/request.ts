import { z } from 'zod';
import { type HttpHead, type RequestErrors, refusal } from './refusals.ts';

/**
 * The parameters that clients send in every protocol: the GraphQL-over-HTTP draft, section "Request Parameters", and
 * Apollo's extension for persisted operations.
 */
const requestShape = z.object({
  query: z.string().nullish(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  extensions: z
    .object({
      persistedQuery: z.object({ version: z.literal(1), sha256Hash: z.string() }).nullish(),
    })
    .nullish(),
});

/** The operation that a client requests, before any check of it. */
export interface OperationRequest {
  query: string | null;
  /** The id of a persisted operation: the hash of its text, or its id in the manifest. */
  persistedId: string | null;
  operationName: string | null;
  variables: Record<string, unknown>;
}

/** Parses the parameters; throws BAD_USER_INPUT when they do not describe an operation. */
export function readRequest(parameters: unknown): OperationRequest {
  if (Array.isArray(parameters)) {
    throw invalidRequest(
      'Several operations in one request are not accepted: send each by itself.',
    );
  }
  const parsed = requestShape.safeParse(parameters);
  if (!parsed.success) {
    if (parsed.error.issues.some(({ path }) => path[0] === 'extensions')) {
      throw invalidRequest(
        'Name a persisted operation as {"persistedQuery": {"version": 1, "sha256Hash": "…"}}.',
      );
    }
    throw malformed();
  }
  const { query, operationName, variables, extensions } = parsed.data;
  const persistedId = extensions?.persistedQuery?.sha256Hash ?? null;
  if (typeof query !== 'string' && persistedId === null) throw malformed();
  return {
    // Clients of graphql-ws cannot leave the query out: they send an empty one.
    query: (persistedId === null ? query : query || null) ?? null,
    persistedId,
    operationName: operationName ?? null,
    variables: variables ?? {},
  };
}

const PARAMETERS = ['query', 'operationName', 'variables', 'extensions'];

/** The parameters in a URL; null without any, as when a browser loads the page of the Sandbox. */
export function readUrlRequest(search: string): unknown | null {
  const params = new URLSearchParams(search);
  const names = PARAMETERS.filter((name) => params.has(name));
  if (names.length === 0) return null;
  return Object.fromEntries(names.map((name) => [name, readParameter(params, name)]));
}

function readParameter(params: URLSearchParams, name: string): unknown {
  const [value, ...more] = params.getAll(name);
  if (more.length > 0) throw badRequest(`The parameter ${name} is there more than once.`);
  if (name === 'query' || name === 'operationName') return value;
  try {
    return JSON.parse(value as string);
  } catch {
    throw badRequest(`The parameter ${name} is not JSON.`);
  }
}

export function badRequest(message: string, http?: HttpHead): RequestErrors {
  return refusal('BAD_REQUEST', message, http && { http });
}

function malformed(): RequestErrors {
  return invalidRequest('Send {"query": "…", "operationName": "…", "variables": {…}}.');
}

function invalidRequest(message: string): RequestErrors {
  return refusal('BAD_USER_INPUT', message, { field: 'query' });
}
