import type { SpanContext } from '@opentelemetry/api';

/** The header, and the field of events, of W3C Trace Context (https://www.w3.org/TR/trace-context/). */
export const TRACEPARENT_HEADER = 'traceparent';

const SAMPLED = 1;
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const MAX_LENGTH = 255;

/**
 * The span that a `traceparent` names; undefined when it has not the form that the specification asks for.
 * Of a version above 00 only the fields of version 00 are read.
 */
export function parseTraceparent(value: unknown): SpanContext | undefined {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true };
}

/** The `traceparent` of a span. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`;
}

/** The same span, which does not decide whether a trace that is linked to it is exported. */
export function unsampled(context: SpanContext): SpanContext {
  return { ...context, traceFlags: 0 };
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * The first span of the trace of a client's request, by the correlation id that the router generated: the trace has
 * the id's digits. So work that happens long after the request finds its trace. Undefined for another text.
 */
export function requestSpan(correlationId: string): SpanContext | undefined {
  if (!UUID.test(correlationId)) return undefined;
  const traceId = correlationId.replaceAll('-', '');
  return { traceId, spanId: traceId.slice(16), traceFlags: 0, isRemote: true };
}
