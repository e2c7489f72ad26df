import { z } from 'zod';
import { type HttpHead, type RequestErrors, refusal } from './refusals.ts';

/**
 * What clients send in every protocol: the GraphQL-over-HTTP draft, section "Request Parameters", and
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

/** What a client asks for, before it is known whether that can be. */
export interface AskedOperation {
  query: string | null;
  /** The name of a persisted operation: a hash of its text, or what the manifest says. */
  persistedId: string | null;
  operationName: string | null;
  variables: Record<string, unknown>;
}

/** Reads what a client sent as an object; throws a sentence for what is none. */
export function readRequest(request: unknown): AskedOperation {
  if (Array.isArray(request)) {
    throw badShape('Several operations in one request are not accepted: send each by itself.');
  }
  const read = requestShape.safeParse(request);
  if (!read.success) {
    if (read.error.issues.some(({ path }) => path[0] === 'extensions')) {
      throw badShape(
        'Name a persisted operation as {"persistedQuery": {"version": 1, "sha256Hash": "…"}}.',
      );
    }
    throw malformed();
  }
  const { query, operationName, variables, extensions } = read.data;
  const persistedId = extensions?.persistedQuery?.sha256Hash ?? null;
  if (typeof query !== 'string' && persistedId === null) throw malformed();
  return {
    // Clients of graphql-ws cannot leave it out.
    query: (persistedId === null ? query : query || null) ?? null,
    persistedId,
    operationName: operationName ?? null,
    variables: variables ?? {},
  };
}

const PARAMETERS = ['query', 'operationName', 'variables', 'extensions'];

/** The request in an address; null when it asks for nothing, as browsers do for the page. */
export function requestInAddress(search: string): unknown | null {
  const params = new URLSearchParams(search);
  const given = PARAMETERS.filter((name) => params.has(name));
  if (given.length === 0) return null;
  return Object.fromEntries(given.map((name) => [name, parameter(params, name)]));
}

function parameter(params: URLSearchParams, name: string): unknown {
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
  return badShape('Send {"query": "…", "operationName": "…", "variables": {…}}.');
}

function badShape(message: string): RequestErrors {
  return refusal('BAD_USER_INPUT', message, { field: 'query' });
}
