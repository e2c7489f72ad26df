import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { ConfigError } from '#platform/config/settings.ts';
import { errorFormatter } from '#platform/graphql/errors.ts';
import { runService } from '#platform/lifecycle/lifecycle.ts';
import { startTracing } from '#platform/tracing/start-tracing.ts';
import { createGateway } from '../executor/gateway.ts';
import { SubgraphClient } from '../executor/subgraph-client.ts';
import { createPublicServer } from '../http/public-server.ts';
import { type Identify, identityVerifier } from '../identity/identity.ts';
import { routerMetrics } from '../observability/metrics.ts';
import { withSubgraphErrors } from './error-format.ts';
import { readStandaloneSettings } from './settings.ts';
import { loadSupergraph } from './supergraph.ts';

const { values } = parseArgs({
  options: { supergraph: { type: 'string' }, port: { type: 'string' } },
});

/** Without a provider nobody is known to the router: the subgraphs decide by the header. */
const identifyNobody: Identify = async () => null;

function configure(env: NodeJS.ProcessEnv) {
  if (!values.supergraph) throw new ConfigError('Name the supergraph: --supergraph FILE.');
  // npm runs its scripts in the project's folder: the path is relative to where npm was called.
  const path = resolve(env.INIT_CWD ?? '', values.supergraph);
  if (values.port !== undefined && !isPort(values.port)) {
    throw new ConfigError(`--port must be a whole number from 0 to 65535, not "${values.port}".`);
  }
  const settings = readStandaloneSettings(
    values.port === undefined ? env : { ...env, PORT: values.port, PORT_FILE: undefined },
  );
  return { ...settings, supergraph: loadSupergraph(path) };
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** Exits with the message of an error that is not the program's own, such as an unusable manifest. */
async function orExit<Value>(starting: Promise<Value>): Promise<Value> {
  try {
    return await starting;
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** Exits with a sentence when the address cannot be used. */
async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : message;
    console.error(`The router cannot listen at ${host}, port ${port}: ${reason}.`);
    process.exit(1);
  }
}

await runService('router', configure, async ({ config, logger, draining, ...lifecycle }) => {
  const { supergraph, provider } = config;
  const metrics = routerMetrics();
  const stopTracing = await startTracing('router', config, metrics.registry, logger);
  const clients = Object.entries(supergraph.urls).map(([name, url]) => {
    const client = new SubgraphClient(name, {
      url,
      authorize: async ({ authorization }) => authorization,
      identifiesRouter: false,
      timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
      logger,
    });
    return [name, client] as const;
  });
  const gateway = createGateway({
    supergraphSdl: supergraph.sdl,
    clients: Object.fromEntries(clients),
    executor: config.ROUTER_EXECUTOR,
    observe: metrics.observeSubgraph,
    logger,
  });
  const server = await orExit(
    createPublicServer({
      settings: config,
      isForDevelopers: true,
      gateway: gateway.gateway,
      executor: gateway.executor,
      supergraphSdl: supergraph.sdl,
      openLive: null,
      identify: provider
        ? identityVerifier({ ...provider, SPACERENT_PROFILE: 'servers' }, logger)
        : identifyNobody,
      formatError: withSubgraphErrors(errorFormatter(logger)),
      metrics,
      draining,
      logger,
    }),
  );
  const address = await listen(server.app, config.HOST, config.PORT);
  console.log(`The router is ready at ${address}/graphql, before:`);
  for (const [name, url] of Object.entries(supergraph.urls)) console.log(`  ${name}  ${url}`);

  const { onDrained, onStop } = lifecycle;
  onDrained('requests', server.endRequests);
  onStop('execution', server.close);
  onStop('subgraph connections', gateway.close);
  onStop('traces', stopTracing);
});
