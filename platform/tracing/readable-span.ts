import {
  type Attributes,
  type HrTime,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span } from './span.ts';

/** The service that has recorded a span, as its exports name it. */
export type SpanOrigin = Pick<ReadableSpan, 'resource' | 'instrumentationScope'>;

const MAX_LINKS = 128;
const MAX_VALUE_LENGTH = 256;

/** A span that has ended, as OpenTelemetry's exporters read it. It is marked as sampled: what is exported is. */
export function toReadableSpan(span: Span, origin: SpanOrigin): ReadableSpan {
  const { parent, trace, startedAtMs, durationMs = 0 } = span;
  const startMs = trace.epochOffsetMs + startedAtMs;
  const context = { ...span.spanContext(), traceFlags: TraceFlags.SAMPLED };
  const parentContext = parent instanceof Span ? parent.spanContext() : parent;
  const links = span.links.flatMap((linked) => (linked ? [{ context: linked }] : []));
  return {
    ...origin,
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => context,
    ...(parentContext && { parentSpanContext: parentContext }),
    startTime: toHrTime(startMs),
    endTime: toHrTime(startMs + durationMs),
    duration: toHrTime(durationMs),
    ended: true,
    status: { code: span.isFailed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: merged(span.attributes),
    links: links.slice(-MAX_LINKS),
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: Math.max(0, links.length - MAX_LINKS),
  };
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** Seconds, and the nanoseconds that follow them. */
function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)];
}

function merged(all: readonly Attributes[]): Attributes {
  const entries = Object.entries(Object.assign({}, ...all) as Attributes);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, shortened(value)]])),
  );
}

function shortened<Value>(value: Value): Value | string {
  return typeof value === 'string' ? value.slice(0, MAX_VALUE_LENGTH) : value;
}
