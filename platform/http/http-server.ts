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
  /** Rejects when the service cannot serve; must settle within seconds. */
  ready: () => Promise<unknown>;
  /** Aborted when the process is about to stop: then it is not ready, and clients are sent away. */
  draining: AbortSignal;
}

/** Serves health checks and runs every request under its correlation. `options` are Fastify's. */
export function createHttpServer(
  { ready, draining }: Health,
  logger: Logger,
  options: FastifyHttpOptions<Server> = {},
  correlate = inheritedCorrelation,
): FastifyInstance {
  const app = Fastify({
    bodyLimit: 1_048_576,
    // What still comes in over an open connection is answered, and the connection closed.
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
    // Also the answers to requests that came before the drain began.
    if (draining.aborted) reply.header('connection', 'close');
  });
  app.get(LIVE_PATH, async () => ({ status: 'live' }));
  app.get(READY_PATH, async (_request, reply) => {
    if (draining.aborted) return reply.code(503).send({ status: 'draining' });
    try {
      await ready();
      return { status: 'ready' };
    } catch (error) {
      logger.warn({ err: error }, 'not ready');
      return reply.code(503).send({ status: 'not ready' });
    }
  });
  return app;
}

const WORK_MS = 10_000;
const LOOK_MS = 50;
/** A request that was sent before its client could know of the close has arrived by then. */
const LINGER_MS = 500;

/**
 * Accepts no more connections, closes idle ones, and lets requests under way finish: those that have
 * not after 10 s are cut off. Upgraded connections are left to those who upgraded them, until then.
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
    if (elapsedMs >= WORK_MS && open.size > 0) {
      logger.warn({ connections: open.size }, 'requests that did not end in time are cut off');
      for (const socket of open.keys()) socket.destroy();
    }
    await Promise.race([closing, wait(LOOK_MS)]);
  }
}

/** How many requests are under way on each of a server's connections. */
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
  // Never idle: it is for whoever upgraded it to close it.
  server.prependListener('upgrade', ({ socket }: IncomingMessage) => void begin(socket));
  return open;
}
