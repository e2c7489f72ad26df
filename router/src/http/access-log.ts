import type { ApolloServerPlugin } from '@apollo/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  type Correlation,
  knownCorrelation,
  withCorrelation,
} from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import {
  loggedName,
  type ObservedOperation,
  outcomeOf,
  type RouterMetrics,
} from '../observability/metrics.ts';

/** An operation while it is being answered over HTTP. */
export interface RequestedOperation extends ObservedOperation {
  /** A stream is measured where it is served: its request lasts until it ends. */
  isStreamed: boolean;
}

export interface AccessLog {
  /** Registers the request as one for an operation, of which nothing is known yet. */
  begin(request: FastifyRequest, protocol: ObservedOperation['protocol']): RequestedOperation;
  /** The request was for something else. */
  forget(request: FastifyRequest): void;
  operationOf(request: FastifyRequest): RequestedOperation | undefined;
}

/** Where the plugin of Apollo Server puts the outcome. */
export interface ObservedContext {
  operation?: RequestedOperation | undefined;
}

/** Logs and measures every request to the app but those for its health. */
export function accessLog(deps: {
  app: FastifyInstance;
  /** Where operations are requested. */
  path: string;
  metrics: RouterMetrics;
  logger: Logger;
}): AccessLog {
  const { app, path, metrics, logger } = deps;
  const correlations = new WeakMap<FastifyRequest, Correlation>();
  const operations = new WeakMap<FastifyRequest, RequestedOperation>();

  app.addHook('onRequest', (request, _reply, done) => {
    const correlation = knownCorrelation();
    if (correlation) correlations.set(request, correlation);
    done();
  });

  app.addHook('onResponse', async (request, reply) => {
    if (request.url.startsWith('/health/')) return;
    const { statusCode, elapsedTime } = reply;
    const operation = operations.get(request) ?? unread(request, statusCode);
    if (operation && statusCode >= 500) operation.outcome = 'error';
    if (operation && !operation.isStreamed) metrics.observe(operation, elapsedTime / 1_000);
    const line = {
      statusCode,
      ms: Math.round(elapsedTime),
      ...(operation && {
        operation: loggedName(operation.name),
        kind: operation.kind,
        outcome: operation.outcome,
      }),
    };
    // A response ends outside of its request's context.
    const correlation = correlations.get(request);
    const log = () => logger.info(line, 'request answered');
    if (correlation) withCorrelation(correlation, log);
    else log();
  });

  /** A request for an operation that failed before its body was read. */
  function unread(request: FastifyRequest, statusCode: number): RequestedOperation | undefined {
    if (request.routeOptions.url !== path || statusCode < 400) return undefined;
    return { ...UNREAD, protocol: 'http', outcome: 'refused' };
  }

  return {
    begin(request, protocol) {
      const operation: RequestedOperation = { ...UNREAD, protocol };
      operations.set(request, operation);
      return operation;
    },
    forget: (request) => void operations.delete(request),
    operationOf: (request) => operations.get(request),
  };
}

const UNREAD = { kind: 'unread', name: null, outcome: 'ok', isStreamed: false } as const;

/** Tells the access log what became of the operations that Apollo Server executes. */
export function outcomePlugin(): ApolloServerPlugin<RouterContext & ObservedContext> {
  const listener = {
    async willSendResponse({
      contextValue: { operation },
      errors,
    }: {
      contextValue: ObservedContext;
      errors?: Parameters<typeof outcomeOf>[0];
    }) {
      if (operation) operation.outcome = outcomeOf(errors);
    },
  };
  return { requestDidStart: async () => listener };
}
