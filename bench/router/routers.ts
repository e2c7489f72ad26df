import { composeServices } from '@apollo/composition';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { parse } from 'graphql';
import { createLogger } from '#platform/observability/logger.ts';
import { Executor } from '../../router/src/executor/executor.ts';
import type { ExecutorName } from '../../router/src/executor/gateway.ts';
import { gatewayExecutor } from '../../router/src/executor/gateway-executor.ts';
import type { SubgraphRequest, SubgraphResponse } from '../../router/src/executor/subgraph.ts';
import { type RouterContext, SubgraphClient } from '../../router/src/executor/subgraph-client.ts';
import { fixtures, OPERATION } from './fixtures.ts';

const TIMEOUT_MS = 10_000;

/** How subgraph requests are sent: over HTTP, or served from memory so that only the executors are measured. */
export type Transport = 'http' | 'memory';

export interface Router {
  /** Executes the benchmark's operation; resolves with the response as JSON. Rejects on GraphQL errors. */
  execute(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts Apollo Server before the subgraphs at `urls`, with the executor of that name. */
export async function startRouter(
  name: ExecutorName,
  transport: Transport,
  urls: Record<string, string>,
): Promise<Router> {
  const logger = createLogger('bench', 'warn');
  const { supergraphSdl, errors } = composeServices(
    fixtures.map(({ name, typeDefs }) => ({ name, url: urls[name], typeDefs: parse(typeDefs) })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  const clients = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [
      name,
      new (transport === 'http' ? SubgraphClient : MemoryClient)(
        name,
        url,
        async () => 'Bearer bench',
        TIMEOUT_MS,
        logger,
      ),
    ]),
  );
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ name }) => clients[name] as SubgraphClient,
    logger,
  });
  if (name === 'own') {
    gateway.executor = gatewayExecutor(
      new Executor<RouterContext>({ supergraphSdl, subgraphs: clients }),
    );
  }
  const server = new ApolloServer<RouterContext>({
    gateway,
    stopOnTerminationSignals: false,
    logger,
  });
  await server.start();

  return {
    async execute() {
      const { body } = await server.executeOperation(
        { query: OPERATION },
        { contextValue: { principal: null } },
      );
      if (body.kind !== 'single' || body.singleResult.errors) {
        throw new Error(`the ${name} executor responded with ${JSON.stringify(body)}`);
      }
      return JSON.stringify(body.singleResult);
    },
    async stop() {
      await server.stop();
      await Promise.all(Object.values(clients).map((client) => client.close()));
    },
  };
}

/** Sends each request once, then parses the stored response, as if it had come over the wire. */
class MemoryClient extends SubgraphClient {
  readonly #responses = new Map<string, string>();

  override async send(request: SubgraphRequest, context: RouterContext): Promise<SubgraphResponse> {
    const key = JSON.stringify(request);
    const stored = this.#responses.get(key);
    if (stored !== undefined) return JSON.parse(stored);
    const response = await super.send(request, context);
    this.#responses.set(key, JSON.stringify(response));
    return response;
  }
}
