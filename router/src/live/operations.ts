import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Principal } from '#platform/auth/principal.ts';
import { toOutcome } from '#platform/graphql/outcome.ts';
import { fail, inSpan, type SpanOptions } from '#platform/tracing/tracing.ts';
import type { Admission, AdmittedRequest } from '../admission/admission.ts';
import type { Client } from '../admission/rates.ts';
import { type FormatError, RequestErrors, toClientError } from '../admission/refusals.ts';
import { type ObservedOperation, type Protocol, toLoggedName } from '../observability/metrics.ts';
import { Payload } from './payload.ts';
import type { Sink } from './sink.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The function that ends the operation, or why it was not started. */
export type OpenResult = { end: () => void } | { errors: readonly GraphQLError[] };

/** Operations of any kind, for protocols with any number of payloads for one request. */
export interface Operations {
  /** Checks the parameters that a client sent; resolves with errors for a refusal. */
  admit(
    parameters: unknown,
    client: Client,
  ): Promise<AdmittedRequest | { errors: readonly GraphQLError[] }>;
  /** Starts an admitted request; its payloads go to the sink. Never rejects. */
  open(
    request: AdmittedRequest,
    client: Client,
    sink: Sink,
    protocol: Protocol,
  ): Promise<OpenResult>;
}

export function operations(deps: {
  admission: Admission;
  subscriptions: Pick<Subscriptions, 'open'>;
  /** Executes queries and mutations. */
  execute: (request: AdmittedRequest, principal: Principal | null) => Promise<ExecutionResult>;
  formatError: FormatError;
  /** Called for what has completed, started, or was refused. */
  observe: (operation: ObservedOperation, seconds: number) => void;
}): Operations {
  const { admission, subscriptions, execute, formatError, observe } = deps;
  const toShown = (error: unknown) => toClientError(error, formatError);
  return {
    async admit(parameters, client) {
      const startedAt = performance.now();
      let examined: AdmittedRequest | undefined;
      try {
        examined = admission.examine(parameters);
        await admission.charge(examined, client);
        return examined;
      } catch (error) {
        if (!(error instanceof RequestErrors)) throw error;
        const { kind, name } = examined ?? { kind: 'unread', name: null };
        // The HTTP route admits streams itself, and measures their refusals.
        observe(
          { kind, name, protocol: 'websocket', outcome: toOutcome(error.errors) },
          secondsSince(startedAt),
        );
        return { errors: error.errors.map(toShown) };
      }
    },
    open: (request, client, sink, protocol) =>
      inSpan(request.kind, spanOptions(request, protocol), async (span) => {
        const startedAt = performance.now();
        const { kind, name } = request;
        const record = (errors: Parameters<typeof toOutcome>[0]) => {
          const outcome = toOutcome(errors);
          if (outcome === 'error') fail(span, { code: 'GRAPHQL_ERROR' });
          observe({ kind, name, protocol, outcome }, secondsSince(startedAt));
        };
        try {
          if (request.kind === 'subscription') {
            const end = await subscriptions.open({ ...request, ...client }, sink);
            record([]);
            return { end };
          }
          const result = await execute(request, client.principal);
          record(result.errors);
          sink.next([new Payload(result)]);
          sink.complete();
          return { end: () => {} };
        } catch (error) {
          const errors = [toShown(error)];
          record(errors);
          return { errors };
        }
      }),
  };
}

function spanOptions({ kind, name }: AdmittedRequest, protocol: Protocol): SpanOptions {
  return {
    kind: 'server',
    attributes: {
      'graphql.operation.type': kind,
      'graphql.operation.name': toLoggedName(name),
      'spacerent.protocol': protocol,
    },
  };
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}
