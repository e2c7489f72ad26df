import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { correlated } from '#platform/correlation.ts';
import type { Viewer } from '#platform/viewer.ts';
import { Payload } from './payload.ts';
import { type ReadRequest, RequestErrors } from './requests.ts';
import type { Sink, Subscriptions } from './subscriptions.ts';

/** What a client has begun, or why it could not. */
export type Opened = { end: () => void } | { errors: readonly GraphQLError[] };

/** Operations of any kind, for protocols that answer one request with any number of answers. */
export interface Operations {
  /** Reads and checks what a client sent; says what is wrong with it. */
  read(request: unknown): ReadRequest | { errors: readonly GraphQLError[] };
  /** Begins a request; its answers go to the sink. Never rejects. */
  open(request: ReadRequest, viewer: Viewer | null, sink: Sink): Promise<Opened>;
}

export function operations(deps: {
  read: (request: unknown) => ReadRequest;
  subscriptions: Pick<Subscriptions, 'open'>;
  /** Answers queries and mutations. */
  answer: (request: ReadRequest, viewer: Viewer | null) => Promise<ExecutionResult>;
  formatError: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
}): Operations {
  const { read, subscriptions, answer, formatError } = deps;
  const shown = (error: unknown) => shownError(error, formatError);
  return {
    read(asked) {
      try {
        return read(asked);
      } catch (error) {
        if (error instanceof RequestErrors) return { errors: error.errors.map(shown) };
        throw error;
      }
    },
    // Over a WebSocket each operation is a request of its own.
    open: (request, viewer, sink) =>
      correlated(async () => {
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
      }),
  };
}

/** As clients may see it. */
function shownError(
  error: unknown,
  formatError: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError,
): GraphQLError {
  const known = error instanceof GraphQLError ? error : new GraphQLError(String(error));
  const { message, extensions } = formatError(known.toJSON(), error);
  return new GraphQLError(message, { nodes: known.nodes, extensions });
}
