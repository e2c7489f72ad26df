import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContextName } from '#contracts/topology.ts';
import { internalRequestSigner, type ServiceName } from '#platform/auth/internal-requests.ts';
import type { Principal } from '#platform/auth/principal.ts';
import type { GraphQLResponse, System } from '../support/system.ts';

/** The key with which the services of the system sign their requests to each other. */
export const internalKey = (system: System): string =>
  readFileSync(join(system.home, 'internal-token-key'), 'utf8').trim();

export const subgraphUrl = (system: System, context: ContextName): string =>
  String(system.instance().services[context]?.url);

/** Sends a query to a subgraph as a service of the system does, by default as the router. */
export async function querySubgraph(
  system: System,
  context: ContextName,
  query: string,
  variables: object,
  { from = 'router', principal }: { from?: ServiceName; principal: Principal | null },
) {
  const authorize = internalRequestSigner(from, [internalKey(system)]);
  const response = await fetch(`${subgraphUrl(system, context)}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: await authorize(context, principal),
    },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Pick<GraphQLResponse, 'data' | 'errors'>;
}
