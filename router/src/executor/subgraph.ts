import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { isTree } from './response-tree.ts';

/** What the executor sends to a subgraph. */
export interface SubgraphRequest {
  query: string;
  variables: Record<string, unknown>;
}

export interface SubgraphResponse {
  data?: Record<string, unknown> | null;
  /** In the format of the JSON response. */
  errors?: readonly GraphQLFormattedError[];
}

/** The client of one subgraph. */
export interface Subgraph<Context> {
  /** Rejects when the subgraph does not respond; its own errors are in the response. */
  send(request: SubgraphRequest, context: Context): Promise<SubgraphResponse>;
}

/** What a subgraph sent, with an error in place of errors that are not in the format of GraphQL. */
export function toValidResponse(response: SubgraphResponse, serviceName: string): SubgraphResponse {
  // Its type is what a subgraph promises.
  const { data, errors } = response as { data?: unknown; errors?: unknown };
  const isDataValid = data === undefined || data === null || isTree(data);
  const areErrorsValid = errors === undefined || errors === null || isErrorList(errors);
  if (!isDataValid || !areErrorsValid) {
    const rule = isDataValid ? '"errors" must be a list of objects' : '"data" must be an object';
    return {
      errors: [{ message: `The response of the subgraph "${serviceName}" is not valid: ${rule}.` }],
    };
  }
  return { ...response, errors: (errors ?? []).map(toValidError) };
}

function isErrorList(errors: unknown): errors is Record<string, unknown>[] {
  return Array.isArray(errors) && errors.every(isTree);
}

function isPath(value: unknown): value is (string | number)[] {
  return (
    Array.isArray(value) &&
    value.every((step) => typeof step === 'string' || Number.isInteger(step))
  );
}

/** Leaves out what has another type than the specification's. */
function toValidError({
  message,
  path,
  extensions,
}: Record<string, unknown>): GraphQLFormattedError {
  return {
    message: typeof message === 'string' ? message : '',
    ...(isPath(path) && { path }),
    ...(isTree(extensions) && { extensions }),
  };
}

/** A subgraph's error as it is sent to the client: at `path` of the client's operation. */
export function subgraphError(
  error: GraphQLFormattedError,
  serviceName: string,
  path: readonly (string | number)[] | undefined,
): GraphQLError {
  // Apollo Server would set the status and headers of the whole response by it.
  const { http: _, ...extensions } = error.extensions ?? {};
  const code = extensions.code || 'DOWNSTREAM_SERVICE_ERROR';
  return new GraphQLError(
    error.message || `Error while fetching subquery from service "${serviceName}"`,
    {
      path,
      originalError: error as unknown as Error,
      extensions: { ...extensions, serviceName, code },
    },
  );
}
