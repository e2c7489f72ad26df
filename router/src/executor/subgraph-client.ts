import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { GraphQLError } from 'graphql';
import type { Viewer } from '#platform/auth/viewer.ts';
import {
  type HttpPool,
  type HttpReader,
  openHttpPool,
  readerOver,
} from '#platform/http/http-pool.ts';
import { CORRELATION_HEADER, correlationId } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Subgraph, SubgraphRequest, SubgraphResponse } from './subgraph.ts';

export interface RouterContext {
  viewer: Viewer | null;
}

/**
 * Calls one subgraph over HTTP: keeps connections open, tells it who asks, and turns silence into
 * an error of that subgraph's fields alone.
 */
export class SubgraphClient implements Subgraph<RouterContext>, GraphQLDataSource<RouterContext> {
  readonly #name: string;
  readonly #authorize: (viewer: Viewer | null) => Promise<string>;
  readonly #http: HttpPool;
  readonly #reads: HttpReader;
  readonly #logger: Logger;

  constructor(
    name: string,
    url: string,
    authorize: (viewer: Viewer | null) => Promise<string>,
    timeoutMs: number,
    logger: Logger,
  ) {
    this.#name = name;
    this.#authorize = authorize;
    this.#logger = logger;
    const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    this.#http = openHttpPool(url, { connections: 64, ...timeouts });
    this.#reads = readerOver(this.#http, url, { connections: 64, ...timeouts });
  }

  /**
   * Rejects with SERVICE_UNAVAILABLE when there is no answer, or none of a GraphQL server. A query is
   * sent a second time where another replica may answer; a mutation never is.
   */
  async ask(
    { query, variables }: SubgraphRequest,
    { viewer }: RouterContext,
  ): Promise<SubgraphResponse> {
    try {
      const http = isMutation(query) ? this.#http : this.#reads;
      const response = await http.request({
        method: 'POST',
        path: '/graphql',
        headers: {
          'content-type': 'application/json',
          authorization: await this.#authorize(viewer),
          [CORRELATION_HEADER]: correlationId(),
        },
        body: JSON.stringify({ query, variables }),
      });
      // Answers of GraphQL servers are JSON whatever their HTTP status.
      const answer = await response.body.json();
      // It refuses the router itself, not the client: their keys differ.
      if (response.statusCode !== 401 && isGraphQLAnswer(answer)) return answer;
      throw new Error(`HTTP ${response.statusCode} without data and errors`);
    } catch (error) {
      this.#logger.warn({ err: error, subgraph: this.#name }, 'a subgraph does not answer');
      throw new GraphQLError(`The ${this.#name} part of the system does not answer: try again.`, {
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      });
    }
  }

  /** What the stock executor calls. */
  process({ request, context }: GraphQLDataSourceProcessOptions<RouterContext>) {
    const { query = '', variables = {} } = request;
    return this.ask({ query, variables }, context as RouterContext);
  }

  async close(): Promise<void> {
    await Promise.all([this.#http.close(), this.#reads.close()]);
  }
}

/** The planner's operations begin with their kind. */
function isMutation(query: string): boolean {
  return /^\s*mutation\b/.test(query);
}

function isGraphQLAnswer(answer: unknown): answer is SubgraphResponse {
  return typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
}
