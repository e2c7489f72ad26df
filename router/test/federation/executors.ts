import { composeServices } from '@apollo/composition';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { type GraphQLFormattedError, parse } from 'graphql';
import { Executor } from '../../src/executor/executor.ts';
import { gatewayExecutor } from '../../src/executor/gateway-executor.ts';
import {
  type Faults,
  type FixtureSubgraph,
  type RecordedRequest,
  RunningSubgraph,
} from './subgraph.ts';

// The stock gateway would report the use of tests.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

export interface Result {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

/** One supergraph of fixtures, and both executors before it. */
export interface Federation {
  supergraphSdl: string;
  executor: Executor<object>;
  execute(
    executor: 'own' | 'stock',
    query: string,
    variables?: Record<string, unknown>,
    faults?: Faults,
  ): Promise<Result & { requests: RecordedRequest[] }>;
  injectFaults(faults: Faults): void;
  /** The requests to the subgraphs since the last operation. */
  requests: RecordedRequest[];
  stop(): Promise<void>;
}

/** Composes the fixtures and starts Apollo Server with each executor; throws the errors of composition. */
export async function federate(fixtures: FixtureSubgraph[]): Promise<Federation> {
  const { supergraphSdl, errors } = composeServices(
    fixtures.map(({ name, typeDefs }) => ({
      name,
      url: `http://${name}.test`,
      typeDefs: parse(typeDefs),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));

  const requests: RecordedRequest[] = [];
  const subgraphs = Object.fromEntries(
    fixtures.map((fixture) => [fixture.name, new RunningSubgraph(fixture, requests)]),
  );
  const executor = new Executor<object>({ supergraphSdl, subgraphs, cacheSize: 1_000 });
  const servers = {
    own: await serve(supergraphSdl, subgraphs, executor),
    stock: await serve(supergraphSdl, subgraphs),
  };
  const injectFaults = (faults: Faults) => {
    for (const subgraph of Object.values(subgraphs)) subgraph.injectFaults(faults);
  };

  return {
    supergraphSdl,
    executor,
    requests: requests,
    injectFaults: injectFaults,
    async execute(name, query, variables, faults = {}) {
      requests.length = 0;
      injectFaults(faults);
      const { body } = await servers[name].executeOperation({ query, variables });
      if (body.kind !== 'single') throw new Error('expected a single result');
      const result = JSON.parse(JSON.stringify(body.singleResult)) as Result;
      return { ...result, requests: [...requests] };
    },
    async stop() {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    },
  };
}

async function serve(
  supergraphSdl: string,
  subgraphs: Record<string, RunningSubgraph>,
  executor?: Executor<object>,
): Promise<ApolloServer> {
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ name }) => subgraphs[name] as RunningSubgraph,
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
  });
  if (executor) gateway.executor = gatewayExecutor(executor);
  const server = new ApolloServer({
    gateway,
    includeStacktraceInErrorResponses: false,
    introspection: true,
    stopOnTerminationSignals: false,
    logger: { debug() {}, info() {}, warn() {}, error: console.error },
  });
  await server.start();
  return server;
}
