import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { GraphQLError } from 'graphql';
import type { Principal } from '#platform/auth/principal.ts';
import {
  type HttpPool,
  type HttpResponse,
  openHttpPool,
  openRetryingHttpClient,
  type RetryingHttpClient,
} from '#platform/http/http-pool.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { throttledWarnings } from '#platform/observability/throttled-warnings.ts';
import { tracingHeaders } from '#platform/tracing/tracing.ts';
import type { Subgraph, SubgraphRequest, SubgraphResponse } from './subgraph.ts';

export interface RouterContext {
  principal: Principal | null;
  /** The client's `Authorization` header, for subgraphs that read it themselves. */
  authorization?: string | undefined;
}

export interface SubgraphClientOptions {
  /** The address to which requests are sent, with its path. */
  url: string;
  /** The `Authorization` header of a request; undefined: it has none. */
  authorize: (context: RouterContext) => Promise<string | undefined>;
  /** Whether `authorize` identifies the router: a 401 then refuses the router, and not its client. */
  identifiesRouter: boolean;
  timeoutMs: number;
  logger: Logger;
}

const MAX_RESPONSE_BYTES = 64 * 1_024 * 1_024;

/**
 * Sends requests to one subgraph over HTTP, on pooled connections. A failure is an error of this subgraph's
 * fields only.
 */
export class SubgraphClient implements Subgraph<RouterContext>, GraphQLDataSource<RouterContext> {
  readonly #name: string;
  readonly #path: string;
  readonly #authorize: SubgraphClientOptions['authorize'];
  readonly #identifiesRouter: boolean;
  readonly #timeoutMs: number;
  readonly #http: HttpPool;
  readonly #reads: RetryingHttpClient;
  readonly #logger: Logger;
  readonly #warnOfFormat: (error: unknown) => void;

  constructor(
    name: string,
    { url, authorize, identifiesRouter, timeoutMs, logger }: SubgraphClientOptions,
  ) {
    const { origin, pathname, search } = new URL(url);
    this.#name = name;
    this.#path = pathname + search;
    this.#authorize = authorize;
    this.#identifiesRouter = identifiesRouter;
    this.#timeoutMs = timeoutMs;
    this.#logger = logger;
    const message = 'a subgraph responds with GraphQL, but not as GraphQL over HTTP asks';
    this.#warnOfFormat = throttledWarnings(logger, message, { subgraph: name });
    const options = {
      connections: 64,
      maxResponseSize: MAX_RESPONSE_BYTES,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    };
    this.#http = openHttpPool(origin, options);
    this.#reads = openRetryingHttpClient(this.#http, origin, options);
  }

  /**
   * Rejects with SERVICE_UNAVAILABLE when there is no valid GraphQL response. A query is sent a second
   * time where another replica may respond; a mutation never is.
   */
  async send(
    { query, variables }: SubgraphRequest,
    context: RouterContext,
  ): Promise<SubgraphResponse> {
    const startedAt = performance.now();
    try {
      const http = isMutation(query) ? this.#http : this.#reads;
      const authorization = await this.#authorize(context);
      const response = await http.request({
        method: 'POST',
        path: this.#path,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(authorization !== undefined && { authorization }),
          ...tracingHeaders(),
        },
        body: JSON.stringify({ query, variables }),
      });
      // Some GraphQL servers respond with JSON whatever status and type they declare.
      const leftMs = this.#timeoutMs - (performance.now() - startedAt);
      const result = await readJson(response.body, leftMs);
      const isRouterRefused = this.#identifiesRouter && response.statusCode === 401;
      if (!isRouterRefused && isGraphQLResponse(result)) {
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

/**
 * Rejects when the body does not end in time: undici's timeout is that between two of its parts. Not by an
 * AbortSignal, which costs a tenth of the router's CPU time when each request has one.
 */
async function readJson(body: HttpResponse['body'], timeoutMs: number): Promise<unknown> {
  const timer = setTimeout(() => body.destroy(new Error('the response does not end')), timeoutMs);
  try {
    return await body.json();
  } finally {
    clearTimeout(timer);
  }
}

/** Operations of the planner always start with their kind. */
function isMutation(query: string): boolean {
  return /^\s*mutation\b/.test(query);
}

function isGraphQLResponse(value: unknown): value is SubgraphResponse {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value);
}
