import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** What the executor asks a subgraph. */
export interface SubgraphRequest {
  query: string;
  variables: Record<string, unknown>;
}

export interface SubgraphResponse {
  data?: Record<string, unknown> | null;
  /** As they come over the wire. */
  errors?: readonly GraphQLFormattedError[];
}

/** The way to one subgraph. */
export interface Subgraph<Context> {
  /** Rejects when the subgraph does not answer; its own errors are in the response. */
  ask(request: SubgraphRequest, context: Context): Promise<SubgraphResponse>;
}

/** A subgraph's error as the client sees it: at `path` of the client's operation. */
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
