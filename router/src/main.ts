import { internalRequestSigner } from '#platform/auth/internal-requests.ts';
import { peerUrls } from '#platform/config/settings.ts';
import { runService } from '#platform/lifecycle/lifecycle.ts';
import { routerConfig } from './config.ts';
import { createGateway } from './executor/gateway.ts';
import { serveDevelopmentTokens } from './http/development-token-route.ts';
import { createPublicServer } from './http/public-server.ts';
import { identityVerifier } from './identity/identity.ts';
import { routerMetrics } from './observability/metrics.ts';

await runService('router', routerConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const metrics = routerMetrics();
  const authorize = internalRequestSigner('router', config.INTERNAL_TOKEN_KEYS);
  const gateway = await createGateway({
    urls: peerUrls(config),
    authorize,
    timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
    executor: config.ROUTER_EXECUTOR,
    observe: metrics.observeSubgraph,
    logger,
  });
  const server = await createPublicServer({
    settings: config,
    gateway: gateway.gateway,
    executor: gateway.executor,
    supergraphSdl: gateway.supergraphSdl,
    authorize,
    identify: identityVerifier(config, logger),
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
});
