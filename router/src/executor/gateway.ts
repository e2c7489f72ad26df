import { readFile } from 'node:fs/promises';
import { ApolloGateway } from '@apollo/gateway';
import type { ContextName } from '#contracts/topology.ts';
import type { SignRequest } from '#platform/auth/internal-requests.ts';
import { projectFile } from '#platform/config/project.ts';
import { DateTime, LocalDate } from '#platform/graphql/scalars.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { type RouterMetrics, toOutcome } from '../observability/metrics.ts';
import { Executor } from './executor.ts';
import { gatewayExecutor } from './gateway-executor.ts';
import { withScalarRules } from './scalar-rules.ts';
import type { Subgraph } from './subgraph.ts';
import { type RouterContext, SubgraphClient } from './subgraph-client.ts';

/** The executor of queries and mutations: the router's own, or the gateway's. */
export type ExecutorName = 'own' | 'stock';

export interface GatewayOptions {
  /** The base URL of each subgraph. */
  urls: Record<ContextName, string>;
  authorize: SignRequest;
  timeoutMs: number;
  executor: ExecutorName;
  /** Called for each response of a subgraph to the router's own executor. */
  observe: RouterMetrics['observeSubgraph'];
  logger: Logger;
}

/**
 * The gateway for Apollo Server, and the router's own executor, which executes the events of subscriptions
 * even when the gateway's executor executes the rest.
 */
export async function createGateway({
  urls,
  authorize,
  timeoutMs,
  executor: name,
  observe,
  logger,
}: GatewayOptions) {
  const supergraphSdl = await readFile(projectFile('router/supergraph.graphql'), 'utf8');
  const clients = Object.fromEntries(
    (Object.keys(urls) as ContextName[]).map((name) => [
      name,
      new SubgraphClient(
        name,
        urls[name],
        (principal) => authorize(name, principal),
        timeoutMs,
        logger,
      ),
    ]),
  );
  // The supergraph has scalars without rules: with rules, malformed instants are refused before any
  // subgraph receives them.
  const scalars = [DateTime, LocalDate];
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
    supergraphSdl,
    close: async () =>
      void (await Promise.all(Object.values(clients).map((client) => client.close()))),
  };
}

function measuredSubgraphs(
  clients: Record<string, SubgraphClient>,
  observe: RouterMetrics['observeSubgraph'],
): Record<string, Subgraph<RouterContext>> {
  const timed = ([name, client]: [string, SubgraphClient]): [string, Subgraph<RouterContext>] => {
    const record = (outcome: Parameters<typeof observe>[1], startedAt: number) =>
      observe(name, outcome, (performance.now() - startedAt) / 1_000);
    return [
      name,
      {
        async send(request, context) {
          const startedAt = performance.now();
          try {
            const response = await client.send(request, context);
            const failed = toOutcome(response.errors as never) === 'error';
            record(failed ? 'error' : 'ok', startedAt);
            return response;
          } catch (error) {
            record('unavailable', startedAt);
            throw error;
          }
        },
      },
    ];
  };
  return Object.fromEntries(Object.entries(clients).map(timed));
}
