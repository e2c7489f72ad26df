import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { GraphQLError } from 'graphql';
import { Pool as HttpPool } from 'undici';
import { CORRELATION_HEADER, correlationId } from '#platform/correlation.ts';
import type { Logger } from '#platform/logger.ts';
import { VIEWER_HEADER, type Viewer, writeViewer } from '#platform/viewer.ts';

export interface RouterContext {
  viewer: Viewer | null;
}

/**
 * Calls one subgraph over HTTP: keeps connections open, tells it who asks, and turns silence into
 * an error of that subgraph's fields alone.
 */
export class SubgraphClient implements GraphQLDataSource<RouterContext> {
  readonly #name: string;
  readonly #http: HttpPool;
  readonly #logger: Logger;

  constructor(name: string, url: string, timeoutMs: number, logger: Logger) {
    this.#name = name;
    this.#logger = logger;
    this.#http = new HttpPool(url, {
      connections: 64,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connectTimeout: 2_000,
    });
  }

  async process({ request, context }: GraphQLDataSourceProcessOptions<RouterContext>) {
    const viewer = context.viewer;
    try {
      const response = await this.#http.request({
        method: 'POST',
        path: '/graphql',
        headers: {
          'content-type': 'application/json',
          [CORRELATION_HEADER]: correlationId(),
          ...(viewer && { [VIEWER_HEADER]: writeViewer(viewer) }),
        },
        body: JSON.stringify({ query: request.query, variables: request.variables }),
      });
      // Answers of GraphQL servers are JSON whatever their HTTP status.
      return (await response.body.json()) as { data?: Record<string, unknown> };
    } catch (error) {
      this.#logger.warn({ err: error, subgraph: this.#name }, 'a subgraph does not answer');
      throw new GraphQLError(`The ${this.#name} part of the system does not answer: try again.`, {
        extensions: { code: 'SERVICE_UNAVAILABLE' },
      });
    }
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}
