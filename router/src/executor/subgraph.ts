import { GraphQLError, type GraphQLFormattedError } from 'graphql';

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

/** A subgraph's error as it is sent to the client: at `path` of the client's operation. */
export function subgraphError(
  error: GraphQLFormattedError,
  serviceName: string,
  path: readonly (string | number)[] | undefined,
): GraphQLError {
  const code = error.extensions?.code || 'DOWNSTREAM_SERVICE_ERROR';
  return new GraphQLError(
    error.message || `Error while fetching subquery from service "${serviceName}"`,
    {
      path,
      originalError: error as unknown as Error,
      extensions: { ...error.extensions, serviceName, code },
    },
  );
}
