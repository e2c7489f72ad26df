import { ApolloGateway } from '@apollo/gateway';
import type { GraphQLScalarType } from 'graphql';
import { toOutcome } from '#platform/graphql/outcome.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { fail, inChildSpan, type Span } from '#platform/tracing/tracing.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { Executor } from './executor.ts';
import { gatewayExecutor } from './gateway-executor.ts';
import { withScalarRules } from './scalar-rules.ts';
import {
  type Subgraph,
  type SubgraphRequest,
  type SubgraphResponse,
  toValidResponse,
} from './subgraph.ts';
import type { RouterContext, SubgraphClient } from './subgraph-client.ts';

/** The executor of queries and mutations: the router's own, or the gateway's. */
export type ExecutorName = 'own' | 'stock';

export interface GatewayOptions {
  supergraphSdl: string;
  /** By the names of the subgraphs in the supergraph. */
  clients: Readonly<Record<string, SubgraphClient>>;
  /**
   * Scalars with rules; the supergraph has only their names. Malformed values are refused before any
   * subgraph receives them.
   */
  scalars?: readonly GraphQLScalarType[];
  executor: ExecutorName;
  /** Called for each response of a subgraph to the router's own executor. */
  observe: RouterMetrics['observeSubgraph'];
  logger: Logger;
}

/**
 * The gateway for Apollo Server, and the router's own executor, which executes the events of subscriptions
 * even when the gateway's executor executes the rest. Throws when the supergraph is not valid, or names a
 * subgraph without a client.
 */
export function createGateway(options: GatewayOptions) {
  const { supergraphSdl, clients, scalars = [], executor: name, observe, logger } = options;
  const executor = new Executor<RouterContext>({
    supergraphSdl,
    subgraphs: measuredSubgraphs(clients, observe),
    scalars,
  });

  const gateway = new ApolloGateway({
    supergraphSdl,
    // The executor's constructor has checked that each subgraph has a client.
    buildService: ({ name }) => clients[name] as SubgraphClient,
    logger,
  });
  gateway.onSchemaLoadOrUpdate(({ apiSchema }) => void withScalarRules(apiSchema, scalars));
  if (name === 'own') gateway.executor = gatewayExecutor(executor);
  return {
    gateway,
    executor,
    close: async () =>
      void (await Promise.all(Object.values(clients).map((client) => client.close()))),
  };
}

function measuredSubgraphs(
  clients: GatewayOptions['clients'],
  observe: RouterMetrics['observeSubgraph'],
): Record<string, Subgraph<RouterContext>> {
  const timed = ([name, client]: [string, SubgraphClient]): [string, Subgraph<RouterContext>] => {
    const record = (outcome: Parameters<typeof observe>[1], startedAt: number) =>
      observe(name, outcome, (performance.now() - startedAt) / 1_000);
    const send = async (
      request: SubgraphRequest,
      context: RouterContext,
      span: Span | undefined,
    ): Promise<SubgraphResponse> => {
      const startedAt = performance.now();
      try {
        const response = await client.send(request, context);
        const isFailed = hasFailed(response, name);
        record(isFailed ? 'error' : 'ok', startedAt);
        if (isFailed) fail(span, { code: 'GRAPHQL_ERROR' });
        return response;
      } catch (error) {
        record('unavailable', startedAt);
        throw error;
      }
    };
    const spanName = `fetch ${name}`;
    return [
      name,
      {
        send: (request, context) =>
          inChildSpan(spanName, { kind: 'client' }, (span) => send(request, context, span)),
      },
    ];
  };
  return Object.fromEntries(Object.entries(clients).map(timed));
}

/** Whether the response has an error that is no refusal. Its errors may be anything: subgraphs send them. */
function hasFailed(response: SubgraphResponse, name: string): boolean {
  if (!response.errors) return false;
  return toOutcome(toValidResponse(response, name).errors as never) === 'error';
}
