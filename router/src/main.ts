import { internalAuthorization } from '#platform/auth/internal-tokens.ts';
import { peerUrls } from '#platform/config/settings.ts';
import { runService } from '#platform/lifecycle/lifecycle.ts';
import { routerConfig } from './config.ts';
import { createGateway } from './executor/gateway.ts';
import { createEdge } from './http/public-server.ts';
import { signDevelopmentToken, tokenRequest } from './identity/development-tokens.ts';
import { identity } from './identity/identity.ts';
import { routerMetrics } from './observability/metrics.ts';

await runService('router', routerConfig, async ({ config, logger, draining, ...lifecycle }) => {
  const urls = peerUrls(config);
  const metrics = routerMetrics();
  const { identify } = identity(config, logger);
  const authorize = internalAuthorization('router', config.INTERNAL_TOKEN_KEYS);
  const { gateway, executor, supergraphSdl, close } = await createGateway({
    urls,
    authorize,
    timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
    executor: config.ROUTER_EXECUTOR,
    observe: metrics.observeSubgraph,
    logger,
  });
  const edge = await createEdge({
    config,
    gateway,
    executor,
    supergraphSdl,
    authorize,
    identify,
    metrics,
    draining,
    logger,
  });
  const { app } = edge;
  if (config.SPACERENT_PROFILE === 'embedded') {
    const { AUTH_SECRET } = config;
    app.post('/dev/token', async (request, reply) => {
      const asked = tokenRequest.safeParse(request.body);
      if (asked.success) return { token: await signDevelopmentToken(AUTH_SECRET, asked.data) };
      return reply.code(400).send({
        message: 'Send {"user":"kim","roles":["customer"]}; roles: customer, host, operator.',
      });
    });
  }
  await app.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'router is ready');

  const { onDrained, onStop } = lifecycle;
  onDrained('subscriptions', edge.endSubscriptions);
  onDrained('requests', edge.endRequests);
  onStop('execution', edge.close);
  onStop('subgraph connections', close);
});
