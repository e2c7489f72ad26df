import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CORRELATION_HEADER, withCorrelation } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';

/** Logs every request for queues and jobs, with the operator; `users` holds those who are identified. */
export function logAccess(
  app: FastifyInstance,
  users: WeakMap<FastifyRequest, string>,
  logger: Logger,
): void {
  app.addHook('onResponse', async (request, reply) => {
    const path = request.url.split('?', 1)[0] as string;
    if (/^\/(health|static|metrics)(\/|$)/.test(path)) return;
    const { statusCode, elapsedTime } = reply;
    const { method } = request;
    const fields = {
      user: users.get(request),
      method,
      path,
      statusCode,
      ms: Math.round(elapsedTime),
    };
    // The hook runs outside the async context of the request.
    withCorrelation(String(reply.getHeader(CORRELATION_HEADER)), () =>
      logger.info(fields, 'request completed'),
    );
  });
}
