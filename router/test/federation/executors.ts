import { composeServices } from '@apollo/composition';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { type GraphQLFormattedError, parse } from 'graphql';
import { Executor } from '../../src/executor/executor.ts';
import { standIn } from '../../src/executor/gateway-executor.ts';
import {
  type AskedRequest,
  type Faults,
  type FixtureSubgraph,
  RunningSubgraph,
} from './subgraph.ts';

// The stock gateway reports its use; tests have nothing to report.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

/** One supergraph of fixtures, and both executors before it. */
export interface Federation {
  supergraphSdl: string;
  executor: Executor<object>;
  ask(
    executor: 'own' | 'stock',
    query: string,
    variables?: Record<string, unknown>,
    faults?: Faults,
  ): Promise<Answer & { asked: AskedRequest[] }>;
  suffer(faults: Faults): void;
  /** What the subgraphs were asked since the last question. */
  asked: AskedRequest[];
  stop(): Promise<void>;
}

/** Composes the fixtures and starts Apollo Server with each executor; throws what composition says. */
export async function federate(fixtures: FixtureSubgraph[]): Promise<Federation> {
  const { supergraphSdl, errors } = composeServices(
    fixtures.map(({ name, typeDefs }) => ({
      name,
      url: `http://${name}.test`,
      typeDefs: parse(typeDefs),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));

  const asked: AskedRequest[] = [];
  const subgraphs = Object.fromEntries(
    fixtures.map((fixture) => [fixture.name, new RunningSubgraph(fixture, asked)]),
  );
  const executor = new Executor<object>({ supergraphSdl, subgraphs, remember: 1_000 });
  const servers = {
    own: await serve(supergraphSdl, subgraphs, executor),
    stock: await serve(supergraphSdl, subgraphs),
  };
  const suffer = (faults: Faults) => {
    for (const subgraph of Object.values(subgraphs)) subgraph.suffer(faults);
  };

  return {
    supergraphSdl,
    executor,
    asked,
    suffer,
    async ask(name, query, variables, faults = {}) {
      asked.length = 0;
      suffer(faults);
      const { body } = await servers[name].executeOperation({ query, variables });
      if (body.kind !== 'single') throw new Error('expected one answer');
      const answer = JSON.parse(JSON.stringify(body.singleResult)) as Answer;
      return { ...answer, asked: [...asked] };
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
  if (executor) gateway.executor = standIn(executor);
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
