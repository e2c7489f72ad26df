import { ApolloServer } from '@apollo/server';
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from '@as-integrations/fastify';
import { CORRELATION_HEADER } from '#platform/correlation.ts';
import { errorFormatter } from '#platform/errors.ts';
import { internalAuthorization } from '#platform/internal-tokens.ts';
import { runService } from '#platform/lifecycle.ts';
import { createHttpServer } from '#platform/server.ts';
import { routerConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import { signDevelopmentToken, tokenRequest } from './identity/development-tokens.ts';
import { authorizationOf, identity } from './identity/identity.ts';
import { sandboxPage } from './sandbox-page.ts';
import type { RouterContext } from './subgraph-client.ts';
import { liveGraphql } from './subscriptions/live-graphql.ts';

const GRAPHQL_PATH = '/graphql';

await runService('router', routerConfig, async ({ config, logger, onStop }) => {
  const urls = {
    book: config.BOOK_URL,
    payment: config.PAYMENT_URL,
    space: config.SPACE_URL,
    mypage: config.MYPAGE_URL,
  };
  const { identify } = identity(config, logger);
  const authorize = internalAuthorization('router', config.INTERNAL_TOKEN_KEYS);
  const { gateway, executor, close } = await createGateway({
    urls,
    authorize,
    timeoutMs: config.SUBGRAPH_TIMEOUT_MS,
    executor: config.ROUTER_EXECUTOR,
    logger,
  });

  const app = createHttpServer(async () => undefined, logger);
  const formatError = errorFormatter(logger);
  const apollo = new ApolloServer<RouterContext>({
    gateway,
    plugins: [fastifyApolloDrainPlugin(app), sandboxPage()],
    formatError,
    includeStacktraceInErrorResponses: false,
    introspection: true,
    stopOnTerminationSignals: false,
    logger,
  });
  await apollo.start();

  app.addHook('onResponse', async (request, reply) => {
    const correlationId = request.headers[CORRELATION_HEADER];
    const { statusCode, elapsedTime } = reply;
    if (request.url.startsWith('/health/')) return;
    logger.info({ correlationId, statusCode, ms: Math.round(elapsedTime) }, 'request answered');
  });
  const live = liveGraphql({
    config,
    path: GRAPHQL_PATH,
    executor,
    authorize,
    apollo,
    identify,
    formatError,
    server: app.server,
    logger,
  });
  app.route({
    url: GRAPHQL_PATH,
    method: ['GET', 'POST', 'OPTIONS'],
    preHandler: live.answerStreams,
    handler: fastifyApolloHandler(apollo, {
      context: async ({ raw }) => ({
        viewer: (await identify(authorizationOf(raw)))?.viewer ?? null,
      }),
    }),
  });
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

  onStop('subscriptions', live.close);
  onStop('requests', () => apollo.stop());
  onStop('subgraph connections', close);
});
