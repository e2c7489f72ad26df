import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toOutcome } from '#platform/graphql/outcome.ts';
import {
  type Correlation,
  currentCorrelation,
  withCorrelation,
} from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { Span } from '#platform/tracing/tracing.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import {
  type ObservedOperation,
  type RouterMetrics,
  toLoggedName,
} from '../observability/metrics.ts';
import { endOperationSpan, type StartOperationSpan } from './operation-span.ts';

/** An operation that is being executed over HTTP. */
export interface LoggedOperation extends ObservedOperation {
  /** Streams are measured where they are served, because the request lasts as long as the stream. */
  isStreamed: boolean;
  span?: Span | undefined;
}

export interface AccessLog {
  /** Registers the request as one for an operation, before its document is parsed, and starts its span. */
  begin(
    request: FastifyRequest,
    reply: FastifyReply,
    protocol: ObservedOperation['protocol'],
  ): LoggedOperation;
  /** Marks an operation as streamed, and ends its span: that of the subscription follows. */
  beginStream(operation: LoggedOperation): void;
  /** Removes a request that turned out to have no operation. */
  discard(request: FastifyRequest): void;
  find(request: FastifyRequest): LoggedOperation | undefined;
}

/** The context in which the plugin of Apollo Server records the outcome. */
export interface ObservedContext {
  operation?: LoggedOperation | undefined;
}

/** Logs and measures every request except health checks. */
export function accessLog(deps: {
  app: FastifyInstance;
  /** The path of GraphQL. */
  path: string;
  metrics: RouterMetrics;
  startSpan: StartOperationSpan;
  logger: Logger;
}): AccessLog {
  const { app, path, metrics, startSpan, logger } = deps;
  const correlations = new WeakMap<FastifyRequest, Correlation>();
  const operations = new WeakMap<FastifyRequest, LoggedOperation>();

  app.addHook('onRequest', (request, _reply, done) => {
    const correlation = currentCorrelation();
    if (correlation) correlations.set(request, correlation);
    done();
  });

  app.addHook('onResponse', async (request, reply) => {
    if (request.url.startsWith('/health/')) return;
    const { statusCode, elapsedTime } = reply;
    const operation = operations.get(request) ?? unreadOperation(request, statusCode);
    if (operation && statusCode >= 500) operation.outcome = 'error';
    if (operation && !operation.isStreamed) {
      metrics.observe(operation, elapsedTime / 1_000);
      endOperationSpan(operation.span, operation, statusCode);
    }
    const fields = {
      statusCode,
      ms: Math.round(elapsedTime),
      ...(operation && {
        operation: toLoggedName(operation.name),
        kind: operation.kind,
        outcome: operation.outcome,
      }),
    };
    // The hook runs outside the async context of the request.
    const correlation = correlations.get(request);
    const log = () => logger.info(fields, 'request completed');
    if (correlation) withCorrelation(correlation, log);
    else log();
  });

  /** A request for an operation that failed before its body was read. */
  function unreadOperation(
    request: FastifyRequest,
    statusCode: number,
  ): LoggedOperation | undefined {
    if (request.routeOptions.url !== path || statusCode < 400) return undefined;
    return { ...UNREAD, protocol: 'http', outcome: 'refused' };
  }

  return {
    begin(request, reply, protocol) {
      const span = startSpan(request, reply.elapsedTime);
      const operation: LoggedOperation = { ...UNREAD, protocol, span };
      operations.set(request, operation);
      return operation;
    },
    beginStream(operation) {
      operation.isStreamed = true;
      endOperationSpan(operation.span, operation, 200);
    },
    discard: (request) => void operations.delete(request),
    find: (request) => operations.get(request),
  };
}

const UNREAD = { kind: 'unread', name: null, outcome: 'ok', isStreamed: false } as const;

/** Records the outcome of the operations that Apollo Server executes, for the access log. */
export function outcomePlugin(): ApolloServerPlugin<RouterContext & ObservedContext> {
  const listener = {
    async willSendResponse({
      contextValue: { operation },
      errors,
    }: {
      contextValue: ObservedContext;
      errors?: Parameters<typeof toOutcome>[0];
    }) {
      if (operation) operation.outcome = toOutcome(errors);
    },
  };
  return { requestDidStart: async () => listener };
}
