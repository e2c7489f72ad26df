import { readFile } from 'node:fs/promises';
import { ApolloGateway } from '@apollo/gateway';
import type { ContextName } from '#contracts/topology.ts';
import type { Authorize } from '#platform/auth/internal-tokens.ts';
import { projectFile } from '#platform/config/project.ts';
import { DateTime } from '#platform/graphql/scalars.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { outcomeOf, type RouterMetrics } from '../observability/metrics.ts';
import { Executor } from './executor.ts';
import { standIn } from './gateway-executor.ts';
import { withScalarRules } from './scalar-rules.ts';
import type { Subgraph } from './subgraph.ts';
import { type RouterContext, SubgraphClient } from './subgraph-client.ts';

/** Which executor answers queries and mutations: the router's own, or the gateway's. */
export type ExecutorName = 'own' | 'stock';

export interface GatewayOptions {
  /** Where each subgraph is called. */
  urls: Record<ContextName, string>;
  authorize: Authorize;
  timeoutMs: number;
  executor: ExecutorName;
  /** Measures what subgraphs answer to the router's own executor. */
  observe: RouterMetrics['observeSubgraph'];
  logger: Logger;
}

/**
 * The federated schema as Apollo Server takes it, and the router's own executor, which answers
 * subscriptions' events whoever answers the rest.
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
      new SubgraphClient(name, urls[name], (viewer) => authorize(name, viewer), timeoutMs, logger),
    ]),
  );
  // The supergraph names scalars without their rules: with them, malformed instants are refused
  // here, before any subgraph is asked.
  const scalars = [DateTime];
  const executor = new Executor<RouterContext>({
    supergraphSdl,
    subgraphs: measured(clients, observe),
    scalars,
  });

  const gateway = new ApolloGateway({
    supergraphSdl,
    // The executor has seen to it that there is one for each name.
    buildService: ({ name }) => clients[name] as SubgraphClient,
    logger,
  });
  gateway.onSchemaLoadOrUpdate(({ apiSchema }) => void withScalarRules(apiSchema, scalars));
  if (name === 'own') gateway.executor = standIn(executor);
  return {
    gateway,
    executor,
    supergraphSdl,
    close: async () =>
      void (await Promise.all(Object.values(clients).map((client) => client.close()))),
  };
}

function measured(
  clients: Record<string, SubgraphClient>,
  observe: RouterMetrics['observeSubgraph'],
): Record<string, Subgraph<RouterContext>> {
  const timed = ([name, client]: [string, SubgraphClient]): [string, Subgraph<RouterContext>] => {
    const observed = (outcome: Parameters<typeof observe>[1], began: number) =>
      observe(name, outcome, (performance.now() - began) / 1_000);
    return [
      name,
      {
        async ask(request, context) {
          const began = performance.now();
          try {
            const response = await client.ask(request, context);
            const failed = outcomeOf(response.errors as never) === 'error';
            observed(failed ? 'error' : 'ok', began);
            return response;
          } catch (error) {
            observed('unavailable', began);
            throw error;
          }
        },
      },
    ];
  };
  return Object.fromEntries(Object.entries(clients).map(timed));
}
