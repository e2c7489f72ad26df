import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { spanCounts } from './span-counts.ts';
import { type TracingSettings, tracesEndpoint } from './tracing-settings.ts';

/**
 * Switches traces on where the settings name a collector, and only then loads OpenTelemetry. Resolves with the function
 * that exports what is left, within 3 s, and switches them off.
 */
export async function startTracing(
  service: string,
  settings: TracingSettings,
  metrics: Metrics,
  logger: Logger,
): Promise<() => Promise<void>> {
  const counts = spanCounts(metrics);
  const endpoint = tracesEndpoint(settings);
  if (!endpoint) return async () => undefined;
  const { openTelemetry } = await import('./opentelemetry.ts');
  const stop = openTelemetry(service, endpoint, settings, counts, logger);
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio } = settings;
  logger.info({ sampler, ratio, collector: new URL(endpoint).host }, 'traces are exported');
  return stop;
}
