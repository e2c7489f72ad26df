import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { createLogger } from '#platform/observability/logger.ts';
import { Executor } from '../../router/src/executor/executor.ts';
import type { ExecutorName } from '../../router/src/executor/gateway.ts';
import { gatewayExecutor } from '../../router/src/executor/gateway-executor.ts';
import type { SubgraphRequest, SubgraphResponse } from '../../router/src/executor/subgraph.ts';
import { type RouterContext, SubgraphClient } from '../../router/src/executor/subgraph-client.ts';
import type { RunningFederation } from './federation.ts';
import { OPERATION } from './fixtures.ts';

export type RouterName = ExecutorName;

export interface Router {
  /** Executes the benchmark's operation; resolves with the response as JSON. Rejects on a failure. */
  execute(): Promise<string>;
  /** The CPU time that its process has used until now. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** Starts Apollo Server in this process, with the executor of that name and subgraphs that respond from memory. */
export async function startExecutor(
  name: RouterName,
  { supergraphSdl, urls }: RunningFederation,
): Promise<Router> {
  const logger = createLogger('bench', 'warn');
  const clients = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [
      name,
      new MemoryClient(name, {
        url,
        authorize: async () => undefined,
        identifiesRouter: false,
        timeoutMs: 10_000,
        logger,
      }),
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
    cpuMs() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
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
