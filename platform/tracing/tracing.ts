import { randomUUID } from 'node:crypto';
import type { Attributes, SpanContext } from '@opentelemetry/api';
import {
  CORRELATION_HEADER,
  type Correlation,
  correlationId,
  currentCorrelation,
  withCorrelation,
} from '../observability/correlation.ts';
import type { Span, SpanKind } from './span.ts';
import { formatTraceparent, requestSpan, TRACEPARENT_HEADER } from './traceparent.ts';

/**
 * Spans for OpenTelemetry, with the active one in the correlation. While traces are off, nothing of OpenTelemetry is
 * loaded, and work is called as it is.
 */

export type { Span, SpanContext };

export interface SpanOptions {
  kind?: SpanKind;
  /** Never a value that a user wrote: names, statuses and ids of the system only. */
  attributes?: Attributes;
  /** A span of another process, or `none` for a trace of its own; without it the active span. */
  parent?: SpanContext | 'none' | undefined;
  links?: readonly (SpanContext | undefined)[];
  /** Milliseconds since its work began; without it 0. */
  elapsedMs?: number;
}

/** Which errors make a span, and so its trace, a failed one; without it all. */
type IsFailure = (error: unknown) => boolean;

/** Starts a span, whatever the `parent` of its options is; `ids` are those of the first span of a trace. */
export type StartSpan = (
  name: string,
  options: SpanOptions,
  parent: Span | SpanContext | undefined,
  ids?: SpanContext,
) => Span;

let start: StartSpan | undefined;

/** Switches traces on, or off without an argument. */
export function useTracer(startSpan?: StartSpan): void {
  start = startSpan;
}

/** Whether spans are started: for work that is done for them alone. */
export function isTracing(): boolean {
  return start !== undefined;
}

/** Starts a part of the active trace, which the caller ends; undefined without one. It is not the active span. */
export function startChildSpan(name: string, options: SpanOptions = {}): Span | undefined {
  const parent = activeSpan();
  return parent && start?.(name, options, parent);
}

/**
 * Starts the span of the request that the current correlation is of, and makes it the active one. `isClients`: its trace
 * has the digits of the correlation id, unless it has a `parent`.
 */
export function startRequestSpan(
  name: string,
  options: SpanOptions & { isClients?: boolean },
): Span | undefined {
  const correlation = start && currentCorrelation();
  if (!start || !correlation) return undefined;
  const parent = parentOf(options);
  const ids = options.isClients && !parent ? requestSpan(correlation.id) : undefined;
  correlation.span = start(name, options, parent, ids);
  return correlation.span;
}

/**
 * Runs `work` in a span, which ends with it and fails with it unless `isFailure` says otherwise. Without an active span
 * it begins a trace.
 */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span?: Span) => Promise<T>,
  isFailure?: IsFailure,
): Promise<T> {
  if (!start) return work();
  const correlation = currentCorrelation();
  const span = start(name, options, parentOf(options, correlation));
  const { id, clientId } = correlation ?? { id: randomUUID(), clientId: undefined };
  const inner: Correlation = { id, clientId, span };
  return withCorrelation(inner, () => settle(span, work, isFailure));
}

/** {@link inSpan} as a part of the active trace; without one, `work` alone. */
export function inChildSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span?: Span) => Promise<T>,
  isFailure?: IsFailure,
): Promise<T> {
  return activeSpan() ? inSpan(name, options, work, isFailure) : work();
}

/** Goes on long after the request with the correlation id, in a trace that is linked to the request's. */
export function inLateSpan<T>(
  name: string,
  correlationId: string,
  work: () => Promise<T>,
): Promise<T> {
  const links = [requestSpan(correlationId)];
  return withCorrelation(correlationId, () => inSpan(name, { parent: 'none', links }, work));
}

/** The active span; undefined while traces are off, and outside of any. */
export function activeSpan(): Span | undefined {
  return start && currentCorrelation()?.span;
}

/** The `traceparent` of the span, or of the active one; undefined where there is none. */
export function traceparentOf(span = activeSpan()): string | undefined {
  return span && formatTraceparent(span.spanContext());
}

/** The headers of a request to another service: the correlation id, and the active span. */
export function tracingHeaders(): Record<string, string> {
  const headers: Record<string, string> = { [CORRELATION_HEADER]: correlationId() };
  const traceparent = traceparentOf();
  if (traceparent) headers[TRACEPARENT_HEADER] = traceparent;
  return headers;
}

/**
 * Marks the span as failed, so that its trace is kept. Only the kind of the error is recorded: its message may contain
 * what a user wrote.
 */
export function fail(span: Span | undefined, error: unknown): void {
  if (!span) return;
  const { code, name } = error as { code?: unknown; name?: unknown };
  span.fail(String(code ?? name ?? 'error').slice(0, 64));
}

/** Ends the span of a request over HTTP, as failed where its outcome is an error and no refusal. */
export function endRequestSpan(
  span: Span | undefined,
  { outcome, statusCode }: { outcome: string; statusCode: number },
): void {
  if (!span) return;
  span.setAttributes({ 'http.response.status_code': statusCode, 'spacerent.outcome': outcome });
  if (outcome === 'error') fail(span, { code: statusCode >= 500 ? statusCode : 'GRAPHQL_ERROR' });
  span.end();
}

async function settle<T>(
  span: Span,
  work: (span: Span) => Promise<T>,
  isFailure?: IsFailure,
): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    if (!isFailure || isFailure(error)) fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function parentOf(
  { parent }: SpanOptions,
  correlation?: Correlation,
): Span | SpanContext | undefined {
  if (parent === 'none') return undefined;
  return parent ?? correlation?.span;
}
