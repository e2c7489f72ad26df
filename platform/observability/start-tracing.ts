import { Counter } from 'prom-client';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { type TracingSettings, tracesEndpoint } from './tracing-settings.ts';

/** Counts what becomes of finished spans. */
export interface SpanCounts {
  exported(spans: number): void;
  /**
   * `queue`: too many wait for their export. `export`: the collector did not take them. `buffer`: too many wait for
   * the end of their trace.
   */
  dropped(reason: 'queue' | 'export' | 'buffer', spans: number): void;
}

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

function spanCounts(metrics: Metrics): SpanCounts {
  const registers = [metrics];
  const exported = new Counter({
    name: 'spacerent_trace_spans_exported_total',
    help: 'Spans that the collector has accepted. Per process.',
    registers,
  });
  const dropped = new Counter({
    name: 'spacerent_trace_spans_dropped_total',
    help: 'Spans lost; queue: too many to export, export: the collector failed, buffer: too many of open traces. Per process.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of ['queue', 'export', 'buffer']) dropped.inc({ reason }, 0);
  return {
    exported: (spans) => exported.inc(spans),
    dropped: (reason, spans) => dropped.inc({ reason }, spans),
  };
}
