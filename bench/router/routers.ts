import { composeServices } from '@apollo/composition';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { parse } from 'graphql';
import { createLogger } from '#platform/observability/logger.ts';
import { Executor } from '../../router/src/executor/executor.ts';
import type { ExecutorName } from '../../router/src/executor/gateway.ts';
import { standIn } from '../../router/src/executor/gateway-executor.ts';
import type { SubgraphRequest, SubgraphResponse } from '../../router/src/executor/subgraph.ts';
import { type RouterContext, SubgraphClient } from '../../router/src/executor/subgraph-client.ts';
import { fixtures, OPERATION } from './fixtures.ts';

const TIMEOUT_MS = 10_000;

/** How subgraphs are asked: as the router does, or from memory, which leaves the executors alone. */
export type Transport = 'http' | 'memory';

export interface Router {
  /** Asks the benchmark's operation; resolves with the answer as it is sent. Rejects on errors. */
  ask(): Promise<string>;
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
      new (transport === 'http' ? SubgraphClient : Memory)(
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
    gateway.executor = standIn(new Executor<RouterContext>({ supergraphSdl, subgraphs: clients }));
  }
  const server = new ApolloServer<RouterContext>({
    gateway,
    stopOnTerminationSignals: false,
    logger,
  });
  await server.start();

  return {
    async ask() {
      const { body } = await server.executeOperation(
        { query: OPERATION },
        { contextValue: { viewer: null } },
      );
      if (body.kind !== 'single' || body.singleResult.errors) {
        throw new Error(`the ${name} executor answered ${JSON.stringify(body)}`);
      }
      return JSON.stringify(body.singleResult);
    },
    async stop() {
      await server.stop();
      await Promise.all(Object.values(clients).map((client) => client.close()));
    },
  };
}

/** Asks a question once, and then answers as if it had come over the wire. */
class Memory extends SubgraphClient {
  readonly #answers = new Map<string, string>();

  override async ask(request: SubgraphRequest, context: RouterContext): Promise<SubgraphResponse> {
    const question = JSON.stringify(request);
    const known = this.#answers.get(question);
    if (known !== undefined) return JSON.parse(known);
    const answer = await super.ask(request, context);
    this.#answers.set(question, JSON.stringify(answer));
    return answer;
  }
}
