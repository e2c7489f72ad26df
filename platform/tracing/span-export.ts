import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { throttledWarnings } from '../observability/throttled-warnings.ts';
import type { SpanCounts } from './span-counts.ts';
import type { TracingSettings } from './tracing-settings.ts';

const STOP_TIMEOUT_MS = 3_000;

export interface SpanExport {
  /** Exports a finished, sampled span; drops it where too many wait. */
  add(span: ReadableSpan): void;
  /** Exports what waits, for 3 s at most. */
  stop(): Promise<void>;
}

/** Exports spans in batches, one at a time: a collector that is slow or down delays and fails nothing else. */
export function spanExport(
  endpoint: string,
  settings: TracingSettings,
  counts: SpanCounts,
  logger: Logger,
): SpanExport {
  const otlp = new OTLPTraceExporter({
    url: endpoint,
    headers: {
      ...settings.OTEL_EXPORTER_OTLP_HEADERS,
      ...settings.OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    },
  });
  const warn = throttledWarnings(
    logger,
    'traces are not exported: the collector does not take them',
  );
  const maxQueueSize = settings.OTEL_BSP_MAX_QUEUE_SIZE;
  let waiting = 0;

  const counting: SpanExporter = {
    export(spans, done) {
      otlp.export(spans, (result) => {
        waiting -= spans.length;
        // ExportResultCode of a package that this project does not depend on itself: 0 is success.
        if (result.code === 0) counts.exported(spans.length);
        else {
          counts.dropped('export', spans.length);
          warn(result.error);
        }
        done(result);
      });
    },
    shutdown: () => otlp.shutdown(),
  };
  const batches = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize,
    scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY,
  });

  return {
    add(span) {
      // The processor drops above the same limit, but does not say so.
      if (waiting >= maxQueueSize) return counts.dropped('queue', 1);
      waiting += 1;
      batches.onEnd(span);
    },
    async stop() {
      await withTimeout(STOP_TIMEOUT_MS, 'the export of the last spans', batches.shutdown()).catch(
        warn,
      );
    },
  };
}
