import type { FastifyInstance } from 'fastify';
import { correlationId } from '#platform/observability/correlation.ts';
import { METRICS_PATH, type Metrics, metricsTokenCheck } from '#platform/observability/metrics.ts';

/** Serves the metrics to clients with the token; to no client when no token is set. */
export function serveMetrics(
  app: FastifyInstance,
  metrics: Metrics,
  token: string | undefined,
): void {
  const mayRead = metricsTokenCheck(token);
  app.get(METRICS_PATH, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (mayRead(request.headers.authorization)) {
      return reply.type(metrics.contentType).send(await metrics.metrics());
    }
    const extensions = { code: 'UNAUTHENTICATED', correlationId: correlationId() };
    return reply
      .code(401)
      .send({ errors: [{ message: 'Metrics need the bearer token for metrics.', extensions }] });
  });
}
