import { SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanCounts } from './span-counts.ts';
import type { SpanExport } from './span-export.ts';
import { tailKeeper } from './tail-keeper.ts';

/** At some 2 kB for a span, 20 MB at most. */
const LIMITS = { maxSpans: 10_000, maxSpansPerTrace: 200 };

/** Exports sampled spans, and those of other traces that failed or took `slowMs` in this process. */
export function tailSampling(
  exporting: SpanExport,
  slowMs: number,
  counts: SpanCounts,
): SpanProcessor {
  const keeper = tailKeeper<ReadableSpan>(
    {
      isFailed: ({ status }) => status.code === SpanStatusCode.ERROR,
      isSlow: ({ duration: [seconds, nanoseconds] }) => seconds * 1e3 + nanoseconds / 1e6 >= slowMs,
    },
    LIMITS,
    (spans) => {
      for (const span of spans) exporting.add(asSampled(span));
    },
    (spans) => counts.dropped('buffer', spans),
  );
  return {
    onStart(span, parentContext) {
      if (!isSampled(span))
        keeper.started(span, trace.getSpan(parentContext) as unknown as ReadableSpan);
    },
    onEnd(span) {
      if (isSampled(span)) exporting.add(span);
      else keeper.ended(span);
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}

function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** The batch processor exports only spans that say that they are sampled. */
function asSampled(span: ReadableSpan): ReadableSpan {
  const context = { ...span.spanContext(), traceFlags: TraceFlags.SAMPLED };
  return Object.create(span, { spanContext: { value: () => context } });
}
