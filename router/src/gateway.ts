import { readFile } from 'node:fs/promises';
import { ApolloGateway } from '@apollo/gateway';
import type { GraphQLScalarType } from 'graphql';
import type { Logger } from '#platform/logger.ts';
import { projectFile } from '#platform/project.ts';
import { DateTime } from '#platform/scalars.ts';
import { SubgraphClient } from './subgraph-client.ts';

/** The federated schema and its executor; each subgraph is called at its address in `urls`. */
export async function createGateway(
  urls: Record<string, string>,
  timeoutMs: number,
  logger: Logger,
) {
  const clients: SubgraphClient[] = [];
  const gateway = new ApolloGateway({
    supergraphSdl: await readFile(projectFile('router/supergraph.graphql'), 'utf8'),
    buildService({ name }) {
      const url = urls[name];
      if (!url) throw new Error(`the supergraph names "${name}", for which there is no address`);
      const client = new SubgraphClient(name, url, timeoutMs, logger);
      clients.push(client);
      return client;
    },
    logger,
  });
  // The supergraph names scalars without their rules: with them, malformed instants are refused
  // here, before any subgraph is asked.
  gateway.onSchemaLoadOrUpdate(({ apiSchema }) => {
    const { parseValue, parseLiteral } = DateTime;
    Object.assign(apiSchema.getType('DateTime') as GraphQLScalarType, { parseValue, parseLiteral });
  });
  return {
    gateway,
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}
