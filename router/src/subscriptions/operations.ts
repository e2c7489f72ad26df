import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Viewer } from '#platform/viewer.ts';
import type { AdmittedRequest, Gate } from '../admission/gate.ts';
import type { Caller } from '../admission/mutation-rates.ts';
import { type FormatError, RequestErrors, shownError } from '../admission/refusals.ts';
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
  open(request: AdmittedRequest, viewer: Viewer | null, sink: Sink): Promise<Opened>;
}

export function operations(deps: {
  gate: Gate;
  subscriptions: Pick<Subscriptions, 'open'>;
  /** Answers queries and mutations. */
  answer: (request: AdmittedRequest, viewer: Viewer | null) => Promise<ExecutionResult>;
  formatError: FormatError;
}): Operations {
  const { gate, subscriptions, answer, formatError } = deps;
  const shown = (error: unknown) => shownError(error, formatError);
  return {
    async admit(asked, caller) {
      try {
        return await gate.admit(asked, caller);
      } catch (error) {
        if (error instanceof RequestErrors) return { errors: error.errors.map(shown) };
        throw error;
      }
    },
    async open(request, viewer, sink) {
      try {
        if (request.kind === 'subscription') {
          return { end: await subscriptions.open({ ...request, viewer }, sink) };
        }
        sink.next([new Payload(await answer(request, viewer))]);
        sink.complete();
        return { end: () => {} };
      } catch (error) {
        return { errors: [shown(error)] };
      }
    },
  };
}
