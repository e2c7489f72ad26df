import type { ReceivedSpan } from '../support/otlp-receiver.ts';

/** The spans of a trace, and of all traces that are linked to it, directly or not. */
export function connectedSpans(spans: readonly ReceivedSpan[], traceId: string): ReceivedSpan[] {
  const traces = new Set([traceId]);
  for (let size = 0; size < traces.size; ) {
    size = traces.size;
    for (const span of spans) {
      if (span.links.some((link) => traces.has(link.traceId))) traces.add(span.traceId);
    }
  }
  return spans.filter((span) => traces.has(span.traceId));
}

/** The spans whose parent is not among the spans. */
export function withoutParent(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId));
}

/** Spans as `<service>: <name>`, each once. */
export function namesOf(spans: readonly ReceivedSpan[]): string[] {
  return [...new Set(spans.map(({ service, name }) => `${service}: ${name}`))].sort();
}
