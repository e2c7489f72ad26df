import { readFile } from 'node:fs/promises';
import { contextNames } from '#contracts/topology.ts';
import { followInternalKeys } from '#platform/auth/internal-keys.ts';
import { internalRequestSigner } from '#platform/auth/internal-requests.ts';
import { projectFile } from '#platform/config/project.ts';
import { peerUrls } from '#platform/config/settings.ts';
import { errorFormatter } from '#platform/graphql/errors.ts';
import { DateTime, LocalDate } from '#platform/graphql/scalars.ts';
import { runService } from '#platform/lifecycle/lifecycle.ts';
import { startTracing } from '#platform/tracing/start-tracing.ts';
import { routerConfig } from './config.ts';
import { createGateway } from './executor/gateway.ts';
import { SubgraphClient } from './executor/subgraph-client.ts';
import { serveDevelopmentTokens } from './http/development-token-route.ts';
import { createPublicServer } from './http/public-server.ts';
import { identityVerifier } from './identity/identity.ts';
import { openLive } from './live/open-live.ts';
import { routerMetrics } from './observability/metrics.ts';

await runService('router', routerConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const metrics = routerMetrics();
  const stopTracing = await startTracing('router', config, metrics.registry, logger);
  const keys = followInternalKeys(
    config.INTERNAL_TOKEN_KEYS,
    process.env,
    metrics.registry,
    logger,
  );
  const authorize = internalRequestSigner('router', keys);
  const supergraphSdl = await readFile(projectFile('router/supergraph.graphql'), 'utf8');
  const urls = peerUrls(config);
  const clients = contextNames.map((name) => {
    const client = new SubgraphClient(name, {
      url: new URL('/graphql', urls[name]).href,
      authorize: ({ principal }) => authorize(name, principal),
      identifiesRouter: true,
      timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
      logger,
    });
    return [name, client] as const;
  });
  const gateway = createGateway({
    supergraphSdl,
    clients: Object.fromEntries(clients),
    scalars: [DateTime, LocalDate],
    executor: config.ROUTER_EXECUTOR,
    observe: metrics.observeSubgraph,
    logger,
  });
  const server = await createPublicServer({
    settings: config,
    isForDevelopers: config.SPACERENT_PROFILE === 'embedded',
    gateway: gateway.gateway,
    executor: gateway.executor,
    supergraphSdl,
    openLive: (shared) => openLive({ ...shared, settings: config, authorize }),
    identify: identityVerifier(config, logger),
    formatError: errorFormatter(logger),
    metrics,
    draining,
    logger,
  });
  const { app } = server;
  if (config.SPACERENT_PROFILE === 'embedded') serveDevelopmentTokens(app, config.AUTH_SECRET);
  await app.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'router is ready');

  const { onDrained, onStop } = lifecycle;
  onDrained('subscriptions', server.endSubscriptions);
  onDrained('requests', server.endRequests);
  onStop('execution', server.close);
  onStop('subgraph connections', gateway.close);
  onStop('traces', stopTracing);
});
