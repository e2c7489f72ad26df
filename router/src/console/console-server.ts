import helmet from '@fastify/helmet';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { createHttpServer } from '#platform/http/http-server.ts';
import { newCorrelation } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { serveMetrics } from '../http/metrics-route.ts';
import type { Identify } from '../identity/identity.ts';
import { logAccess } from './access-log.ts';
import { serveAssets } from './assets.ts';
import { type BoardRequest, openBoard } from './board.ts';
import { operators, refuse } from './operators.ts';
import { boardPage, PAGE_POLICY } from './pages.ts';
import type { QueueReader } from './queue-reader.ts';

/** For a few operators, each with a few tabs. */
const MAX_CONNECTIONS = 1_000;
const MAX_BODY_BYTES = 16_384;
const RECEIVE_TIMEOUT_MS = 15_000;

/** The console's HTTP server, which does not listen yet. */
export async function createConsoleServer(deps: {
  reader: QueueReader;
  identify: Identify;
  metrics: Metrics;
  metricsToken: string | undefined;
  /** Aborted when the console is about to stop. */
  draining: AbortSignal;
  logger: Logger;
}): Promise<FastifyInstance> {
  const { reader, identify, metrics, metricsToken, draining, logger } = deps;
  const users = new WeakMap<FastifyRequest, string>();
  const { identify: identifyOperator, serveSessions } = operators(identify, logger);
  // Ready without the queue's server: what it shows then is that sentence.
  const health = { ready: async () => undefined, draining };
  const limits = { bodyLimit: MAX_BODY_BYTES, requestTimeout: RECEIVE_TIMEOUT_MS };
  const app = createHttpServer(health, logger, limits, newCorrelation);
  app.server.maxConnections = MAX_CONNECTIONS;
  logAccess(app, users, logger);
  serveMetrics(app, metrics, metricsToken);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    // Not no-referrer: with it browsers send the form that signs in with the origin "null".
    referrerPolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    strictTransportSecurity: false,
  });
  handleErrors(app, logger);
  serveSessions(app);
  await app.register(async (forOperators) => {
    forOperators.addHook('onRequest', async (request) => {
      users.set(request, await identifyOperator(request));
    });
    serveBoard(forOperators, reader);
  });
  return app;
}

function serveBoard(app: FastifyInstance, reader: QueueReader): void {
  const board = openBoard();
  const page = boardPage(board.template);
  serveAssets(app, board.assets.path, board.assets.folder);
  for (const path of board.pagePaths) {
    app.get(path, async (_request, reply) => {
      // bull-board's page would say that there are no queues.
      await reader.read(async () => undefined);
      return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page);
    });
  }
  for (const { path, read } of board.reads) {
    app.get(path, async (request, reply) => {
      const boardRequest = { query: request.query, params: request.params } as BoardRequest;
      const { status, body } = await reader.read((queues) => read(boardRequest, queues));
      return reply.code(status).header('cache-control', 'no-store').send(body);
    });
  }
}

/** Responds with a sentence, in the form in which the board's page shows it. */
function handleErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (refuse(error, request, reply)) return reply;
    const { statusCode = 500 } = error;
    if (statusCode < 500) {
      return reply.code(statusCode).send({ error: 'The request is not understood.' });
    }
    logger.error({ err: error }, 'a request failed');
    return reply.code(500).send({ error: 'The queues could not be read: the log says why.' });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'There is nothing at this address for this method.' }),
  );
}
