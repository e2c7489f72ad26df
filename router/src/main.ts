import { runService } from '#platform/lifecycle.ts';
import { routerConfig } from './config.ts';
import { createEdge } from './edge.ts';
import { createGateway } from './gateway.ts';
import { identity, tokenRequest } from './identity.ts';

await runService('router', routerConfig, async ({ config, logger, onStop }) => {
  const urls = {
    book: config.BOOK_URL,
    payment: config.PAYMENT_URL,
    space: config.SPACE_URL,
    mypage: config.MYPAGE_URL,
  };
  const { identify, signDevToken } = identity(config.AUTH_SECRET);
  const { gateway, executor, supergraphSdl, close } = await createGateway({
    urls,
    timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
    executor: config.ROUTER_EXECUTOR,
    logger,
  });
  const { app, stops } = await createEdge({
    config,
    gateway,
    executor,
    supergraphSdl,
    identify,
    logger,
  });
  if (config.SPACERENT_PROFILE === 'embedded') {
    app.post('/dev/token', async (request, reply) => {
      const asked = tokenRequest.safeParse(request.body);
      if (asked.success) return { token: await signDevToken(asked.data) };
      return reply.code(400).send({
        message: 'Send {"user":"kim","roles":["customer"]}; roles: customer, host, operator.',
      });
    });
  }
  await app.listen({ host: config.HOST, port: config.PORT });
  logger.info({ port: config.PORT }, 'router is ready');

  for (const [name, stop] of stops) onStop(name, stop);
  onStop('subgraph connections', close);
});
