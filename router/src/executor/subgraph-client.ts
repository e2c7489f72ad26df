import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { GraphQLError } from 'graphql';
import type { Principal } from '#platform/auth/principal.ts';
import {
  type HttpPool,
  openHttpPool,
  openRetryingHttpClient,
  type RetryingHttpClient,
} from '#platform/http/http-pool.ts';
import { throttledWarnings } from '#platform/messaging/queue-server.ts';
import { CORRELATION_HEADER, correlationId } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Subgraph, SubgraphRequest, SubgraphResponse } from './subgraph.ts';

export interface RouterContext {
  principal: Principal | null;
}

/**
 * Sends requests to one subgraph over HTTP, on pooled connections, with a token for the principal. A failure
 * is an error of this subgraph's fields only.
 */
export class SubgraphClient implements Subgraph<RouterContext>, GraphQLDataSource<RouterContext> {
  readonly #name: string;
  readonly #authorize: (principal: Principal | null) => Promise<string>;
  readonly #http: HttpPool;
  readonly #reads: RetryingHttpClient;
  readonly #logger: Logger;
  readonly #warnOfFormat: (error: unknown) => void;

  constructor(
    name: string,
    url: string,
    authorize: (principal: Principal | null) => Promise<string>,
    timeoutMs: number,
    logger: Logger,
  ) {
    this.#name = name;
    this.#authorize = authorize;
    this.#logger = logger;
    const message = 'a subgraph responds with GraphQL, but not as GraphQL over HTTP asks';
    this.#warnOfFormat = throttledWarnings(logger, message, { subgraph: name });
    const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    this.#http = openHttpPool(url, { connections: 64, ...timeouts });
    this.#reads = openRetryingHttpClient(this.#http, url, { connections: 64, ...timeouts });
  }

  /**
   * Rejects with SERVICE_UNAVAILABLE when there is no valid GraphQL response. A query is sent a second
   * time where another replica may respond; a mutation never is.
   */
  async send(
    { query, variables }: SubgraphRequest,
    { principal }: RouterContext,
  ): Promise<SubgraphResponse> {
    try {
      const http = isMutation(query) ? this.#http : this.#reads;
      const response = await http.request({
        method: 'POST',
        path: '/graphql',
        headers: {
          'content-type': 'application/json',
          authorization: await this.#authorize(principal),
          [CORRELATION_HEADER]: correlationId(),
        },
        body: JSON.stringify({ query, variables }),
      });
      // Some GraphQL servers respond with JSON whatever status and type they declare.
      const result = await response.body.json();
      // 401 refuses the router itself, whose key differs, and not the client.
      if (response.statusCode !== 401 && isGraphQLResponse(result)) {
        const type = String(response.headers['content-type']);
        if (response.statusCode >= 500 || !/json/i.test(type)) {
          this.#warnOfFormat(new Error(`HTTP ${response.statusCode}, content type ${type}`));
        }
        return result;
      }
      throw new Error(`HTTP ${response.statusCode} without data and errors`);
    } catch (error) {
      this.#logger.warn({ err: error, subgraph: this.#name }, 'a subgraph does not respond');
      throw new GraphQLError(`The ${this.#name} part of the system does not respond: try again.`, {
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      });
    }
  }

  /** Called by the stock executor. */
  process({ request, context }: GraphQLDataSourceProcessOptions<RouterContext>) {
    const { query = '', variables = {} } = request;
    return this.send({ query, variables }, context as RouterContext);
  }

  async close(): Promise<void> {
    await Promise.all([this.#http.close(), this.#reads.close()]);
  }
}

/** Operations of the planner always start with their kind. */
function isMutation(query: string): boolean {
  return /^\s*mutation\b/.test(query);
}

function isGraphQLResponse(value: unknown): value is SubgraphResponse {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value);
}
