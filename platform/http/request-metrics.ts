import type { ApolloServerPlugin, BaseContext } from '@apollo/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Histogram } from 'prom-client';
import { type Outcome, toOutcome } from '../graphql/outcome.ts';
import { type Correlation, currentCorrelation } from '../observability/correlation.ts';
import { METRICS_PATH, type Metrics } from '../observability/metrics.ts';
import { endRequestSpan } from '../tracing/tracing.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/**
 * Measures every request to a context but for health and metrics, by route, and ends its span. The returned plugin of Apollo Server
 * finds the outcome of GraphQL requests: their HTTP status is 200 also when they fail.
 */
export function requestMetrics(
  app: FastifyInstance,
  metrics: Metrics,
): ApolloServerPlugin<BaseContext> {
  const seconds = new Histogram({
    name: 'spacerent_request_seconds',
    help: 'Response time of a context for a request of another service, by route. Per process.',
    labelNames: ['route', 'outcome'],
    buckets: SECONDS,
    registers: [metrics],
  });
  // The correlation is one object for each request, which the plugin, that sees no HTTP request, finds too.
  const outcomes = new WeakMap<Correlation, Outcome>();
  const correlations = new WeakMap<FastifyRequest, Correlation>();

  app.addHook('onRequest', (request, _reply, done) => {
    const correlation = currentCorrelation();
    if (correlation) correlations.set(request, correlation);
    done();
  });
  app.addHook('onResponse', async (request, { statusCode, elapsedTime }) => {
    // Clients choose paths: what is not a route shares one series.
    const route = request.routeOptions.url ?? 'unknown';
    if (route === METRICS_PATH || route.startsWith('/health/')) return;
    const correlation = correlations.get(request);
    const outcome = (correlation && outcomes.get(correlation)) ?? outcomeOf(statusCode);
    seconds.observe({ route, outcome }, elapsedTime / 1_000);
    endRequestSpan(correlation?.span, { outcome, statusCode });
  });

  return {
    requestDidStart: async () => ({
      async willSendResponse({ errors, operation }) {
        const correlation = currentCorrelation();
        if (correlation) outcomes.set(correlation, toOutcome(errors));
        if (operation)
          correlation?.span?.setAttributes({ 'graphql.operation.type': operation.operation });
      },
    }),
  };
}

function outcomeOf(statusCode: number): Outcome {
  if (statusCode >= 500) return 'error';
  if (statusCode === 401) return 'unauthenticated';
  return statusCode >= 400 ? 'refused' : 'ok';
}
