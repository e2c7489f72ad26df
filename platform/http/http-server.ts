import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import Fastify, { type FastifyHttpOptions, type FastifyInstance } from 'fastify';
import {
  CORRELATION_HEADER,
  inheritedCorrelation,
  withCorrelation,
} from '../observability/correlation.ts';
import type { Logger } from '../observability/logger.ts';

export const LIVE_PATH = '/health/live';
export const READY_PATH = '/health/ready';

/** Whether requests should come to this process. */
export interface Health {
  /** Rejects when the service cannot serve requests; must resolve or reject within seconds. */
  ready: () => Promise<unknown>;
  /** Aborted when the process is about to stop: then it is not ready, and each response closes its connection. */
  draining: AbortSignal;
}

/** Why a service is not ready, in words that each caller may see. Where it began, it has been logged. */
export class NotReady extends Error {
  override name = 'NotReady';
}

/** Serves health checks and runs every request with its correlation id. `options` are Fastify's. */
export function createHttpServer(
  { ready, draining }: Health,
  logger: Logger,
  options: FastifyHttpOptions<Server> = {},
  correlate = inheritedCorrelation,
): FastifyInstance {
  const app = Fastify({
    bodyLimit: 1_048_576,
    // A request over an open connection still gets a response, and the connection is closed then.
    return503OnClosing: false,
    ...options,
  });
  sockets.set(app, trackSockets(app.server));
  app.addHook('onRequest', (request, reply, done) => {
    const correlation = correlate(request.headers[CORRELATION_HEADER]);
    reply.header(CORRELATION_HEADER, correlation.id);
    withCorrelation(correlation, done);
  });
  app.addHook('onSend', async (_request, reply) => {
    // Responses to requests from before the drain included.
    if (draining.aborted) reply.header('connection', 'close');
  });
  app.get(LIVE_PATH, async () => ({ status: 'live' }));
  app.get(READY_PATH, async (_request, reply) => {
    if (draining.aborted) return reply.code(503).send({ status: 'draining' });
    try {
      await ready();
      return { status: 'ready' };
    } catch (error) {
      if (error instanceof NotReady) {
        return reply.code(503).send({ status: 'not ready', reason: error.message });
      }
      logger.warn({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'not ready' });
    }
  });
  return app;
}

const REQUESTS_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
/** Time for the arrival of requests that were sent before their clients could notice the close. */
const LINGER_MS = 500;

/**
 * Accepts no more connections, closes idle ones, and lets running requests finish; after 10 s it destroys
 * their connections. The code that upgraded a connection must close it before.
 */
export async function closeHttpServer(app: FastifyInstance, logger: Logger): Promise<void> {
  const open = sockets.get(app) ?? new Map<Socket, number>();
  const startedAt = performance.now();
  let closed = false;
  const closing = app.close().then(() => {
    closed = true;
  });
  while (!closed) {
    const elapsedMs = performance.now() - startedAt;
    app.server.closeIdleConnections();
    // Node counts a connection that has not sent a byte yet as busy.
    if (elapsedMs >= LINGER_MS) {
      for (const [socket, requests] of open) if (requests === 0) socket.destroy();
    }
    if (elapsedMs >= REQUESTS_TIMEOUT_MS && open.size > 0) {
      logger.warn({ connections: open.size }, 'requests that did not end in time are cut off');
      for (const socket of open.keys()) socket.destroy();
    }
    await Promise.race([closing, wait(POLL_MS)]);
  }
}

/** The number of running requests on each connection of a server. */
const sockets = new WeakMap<FastifyInstance, Map<Socket, number>>();

function trackSockets(server: Server): Map<Socket, number> {
  const open = new Map<Socket, number>();
  const begin = (socket: Socket) => open.set(socket, (open.get(socket) ?? 0) + 1);
  server.on('connection', (socket) => {
    open.set(socket, 0);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    begin(socket);
    response.once('close', () => {
      if (open.has(socket)) open.set(socket, (open.get(socket) ?? 1) - 1);
    });
  });
  // Counts as busy for ever: the code that upgraded the connection closes it.
  server.prependListener('upgrade', ({ socket }: IncomingMessage) => void begin(socket));
  return open;
}
