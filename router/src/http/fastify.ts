import type { Server } from 'node:http';
import type { FastifyHttpOptions, FastifyInstance } from 'fastify';
import { createHttpServer } from '#platform/http/http-server.ts';
import { newCorrelation } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { RouterMetrics } from '../observability/metrics.ts';
import { type AccessLog, accessLog } from './access-log.ts';
import {
  type HttpLimits,
  handleBadUrl,
  handleBrokenRequest,
  handleHttpErrors,
} from './http-errors.ts';
import { serveMetrics } from './metrics-route.ts';
import { operationSpans } from './operation-span.ts';
import { allowOrigins } from './origins.ts';
import { addSecurityHeaders } from './security-headers.ts';
import type { HttpSettings } from './settings.ts';

/** Creates the HTTP server with its limits, log, errors, headers and metrics, and without GraphQL. */
export async function createFastify(deps: {
  settings: HttpSettings & { METRICS_TOKEN?: string | undefined };
  /** The path of GraphQL, for the access log. */
  path: string;
  metrics: RouterMetrics;
  draining: AbortSignal;
  logger: Logger;
}): Promise<{ app: FastifyInstance; log: AccessLog }> {
  const { settings, path, metrics, draining, logger } = deps;
  const limits: HttpLimits = {
    bodyBytes: settings.BODY_LIMIT_BYTES,
    receiveMs: settings.REQUEST_RECEIVE_TIMEOUT_MS,
    responseMs: settings.REQUEST_TIMEOUT_MS,
  };
  // Ready once it listens: the supergraph, which is all it needs, was loaded before.
  const health = { ready: async () => undefined, draining };
  const app = createHttpServer(health, logger, fastifyOptions(limits), newCorrelation);
  app.server.maxConnections = settings.CONNECTIONS_PER_PROCESS;
  // Its hooks come first, so that it logs what the others respond to.
  const log = accessLog({ app, path, metrics, startSpan: operationSpans(settings), logger });
  serveMetrics(app, metrics.registry, settings.METRICS_TOKEN);
  handleHttpErrors(app, limits, logger);
  await addSecurityHeaders(app);
  await allowOrigins(app, settings.CORS_ORIGINS);
  return { app, log };
}

function fastifyOptions(limits: HttpLimits): FastifyHttpOptions<Server> {
  return {
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.receiveMs,
    http: {
      headersTimeout: limits.receiveMs,
      requestTimeout: limits.receiveMs,
      // Node checks the timeouts only in this interval.
      connectionsCheckingInterval: Math.min(1_000, limits.receiveMs),
    },
    frameworkErrors: handleBadUrl,
    clientErrorHandler: handleBrokenRequest(limits),
  };
}
