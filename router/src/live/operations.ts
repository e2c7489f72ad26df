import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Viewer } from '#platform/auth/viewer.ts';
import type { AdmittedRequest, Gate } from '../admission/admission.ts';
import type { Caller } from '../admission/rates.ts';
import { type FormatError, RequestErrors, shownError } from '../admission/refusals.ts';
import { type ObservedOperation, outcomeOf, type Protocol } from '../observability/metrics.ts';
import { Payload } from './payload.ts';
import type { Sink, Subscriptions } from './subscriptions.ts';

/** What a client has begun, or why it could not. */
export type Opened = { end: () => void } | { errors: readonly GraphQLError[] };

/** Operations of any kind, for protocols that answer one request with any number of answers. */
export interface Operations {
  /** Reads and checks what a client sent; says why it is not to be executed. */
  admit(
    request: unknown,
    caller: Caller,
  ): Promise<AdmittedRequest | { errors: readonly GraphQLError[] }>;
  /** Begins an admitted request; its answers go to the sink. Never rejects. */
  open(
    request: AdmittedRequest,
    viewer: Viewer | null,
    sink: Sink,
    protocol: Protocol,
  ): Promise<Opened>;
}

export function operations(deps: {
  gate: Gate;
  subscriptions: Pick<Subscriptions, 'open'>;
  /** Answers queries and mutations. */
  answer: (request: AdmittedRequest, viewer: Viewer | null) => Promise<ExecutionResult>;
  formatError: FormatError;
  /** Measures what was answered, what began, and what was refused. */
  observe: (operation: ObservedOperation, seconds: number) => void;
}): Operations {
  const { gate, subscriptions, answer, formatError, observe } = deps;
  const shown = (error: unknown) => shownError(error, formatError);
  return {
    async admit(asked, caller) {
      const began = performance.now();
      let examined: AdmittedRequest | undefined;
      try {
        examined = gate.examine(asked);
        await gate.charge(examined, caller);
        return examined;
      } catch (error) {
        if (!(error instanceof RequestErrors)) throw error;
        const { kind, name } = examined ?? { kind: 'unread', name: null };
        // Streams are admitted by the route, which measures what it refuses.
        observe(
          { kind, name, protocol: 'websocket', outcome: outcomeOf(error.errors) },
          secondsSince(began),
        );
        return { errors: error.errors.map(shown) };
      }
    },
    async open(request, viewer, sink, protocol) {
      const began = performance.now();
      const { kind, name } = request;
      const ended = (errors: Parameters<typeof outcomeOf>[0]) =>
        observe({ kind, name, protocol, outcome: outcomeOf(errors) }, secondsSince(began));
      try {
        if (request.kind === 'subscription') {
          const end = await subscriptions.open({ ...request, viewer }, sink);
          ended([]);
          return { end };
        }
        const result = await answer(request, viewer);
        ended(result.errors);
        sink.next([new Payload(result)]);
        sink.complete();
        return { end: () => {} };
      } catch (error) {
        const errors = [shown(error)];
        ended(errors);
        return { errors };
      }
    },
  };
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1_000;
}
