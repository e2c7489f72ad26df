import type { FastifyRequest } from 'fastify';
import { currentCorrelation } from '#platform/observability/correlation.ts';
import { parseTraceparent, TRACEPARENT_HEADER, unsampled } from '#platform/tracing/traceparent.ts';
import {
  endRequestSpan,
  isTracing,
  type Span,
  startRequestSpan,
} from '#platform/tracing/tracing.ts';
import { type ObservedOperation, toLoggedName } from '../observability/metrics.ts';
import { fromTrustedProxy } from './client-address.ts';
import type { HttpSettings } from './settings.ts';

/** Starts the span of a request that was received that many milliseconds ago; undefined while traces are off. */
export type StartOperationSpan = (request: FastifyRequest, elapsedMs: number) => Span | undefined;

/**
 * Each request begins a trace, whose sampling no client can choose; what the client names in `traceparent` is a link.
 * Only proxies that trace themselves are continued.
 */
export function operationSpans(
  settings: Pick<HttpSettings, 'TRUSTED_PROXIES' | 'TRUSTED_PROXIES_TRACE'>,
): StartOperationSpan {
  const isProxy = fromTrustedProxy(settings.TRUSTED_PROXIES);
  const isContinued = (request: FastifyRequest) =>
    settings.TRUSTED_PROXIES_TRACE === 'on' && isProxy(request.raw);

  return (request, elapsedMs) => {
    if (!isTracing()) return undefined;
    const named = parseTraceparent(request.headers[TRACEPARENT_HEADER]);
    const origin =
      named && isContinued(request) ? { parent: named } : { links: [named && unsampled(named)] };
    return startRequestSpan('operation', {
      ...origin,
      kind: 'server',
      isClients: true,
      elapsedMs,
      attributes: { 'spacerent.correlation_id': currentCorrelation()?.id },
    });
  };
}

/** Ends the span of an operation. Its name is the operation's kind: clients choose the names of operations. */
export function endOperationSpan(
  span: Span | undefined,
  { kind, name, protocol, outcome }: ObservedOperation,
  statusCode: number,
): void {
  if (!span) return;
  span.name = kind;
  span.setAttributes({
    'graphql.operation.type': kind,
    'graphql.operation.name': toLoggedName(name),
    'spacerent.protocol': protocol,
  });
  endRequestSpan(span, { outcome, statusCode });
}
