import { Counter } from 'prom-client';
import type { Metrics } from '../observability/metrics.ts';

/** Counts what becomes of finished spans. */
export interface SpanCounts {
  exported(spans: number): void;
  /**
   * `queue`: too many wait for their export. `export`: the collector did not take them. `buffer`: too many wait for
   * the end of their trace.
   */
  dropped(reason: 'queue' | 'export' | 'buffer', spans: number): void;
}

export function spanCounts(metrics: Metrics): SpanCounts {
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
