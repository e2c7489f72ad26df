import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Span } from './span.ts';
import type { SpanCounts } from './span-counts.ts';
import type { SpanExport } from './span-export.ts';
import { tailKeeper } from './tail-keeper.ts';

/** At some 0.5 kB for a span, 5 MB at most. */
const LIMITS = { maxSpans: 10_000, maxSpansPerTrace: 200 };

/**
 * Exports spans that end and are sampled, and those of other traces that failed or took `slowMs` in this process. Only
 * what is exported is converted by `toReadable`.
 */
export function tailSampling(
  exporting: SpanExport,
  toReadable: (span: Span) => ReadableSpan,
  slowMs: number,
  counts: SpanCounts,
): (ended: Span) => void {
  const keeper = tailKeeper<Span>(
    {
      isFailed: ({ isFailed }) => isFailed,
      isSlow: ({ durationMs = 0 }) => durationMs >= slowMs,
    },
    LIMITS,
    (spans) => {
      for (const span of spans) exporting.add(toReadable(span));
    },
    (spans) => counts.dropped('buffer', spans),
  );
  return (span) => {
    if (span.trace.isSampled) exporting.add(toReadable(span));
    else keeper.ended(span, span.trace);
  };
}
