import { type LiveClient, liveClients } from '../../support/live-clients.ts';

/** RFC 6455's registry: the service restarts, the client should connect again. */
const SERVICE_RESTART = 1012;
/** graphql-sse on a stream that the server has ended before the operation. */
const STREAM_ENDED = 'Connection closed while having active streams';

/** What a booking's status subscription sends. */
export interface StatusView {
  version: number;
  status: string;
}

const STATUS = `subscription Status($id: ID!, $after: Int) {
  bookingStatus(bookingId: $id, afterVersion: $after) { version status }
}`;

/** How a subscription ended: by its last version, by a restart of the router, or wrongly. */
export type End = 'completed' | 'restarted' | { failure: string };

export interface StatusObserver {
  next(view: StatusView): void;
  ended(end: End): void;
}

export interface Subscribing {
  url: string;
  token: string;
  /** `after`: null before the first version. */
  variables: { id: string; after: number | null };
}

/** Subscribes with one client library, without its own retries; returns what unsubscribes. */
export type StatusClient = (subscribing: Subscribing, observer: StatusObserver) => () => void;

/** Those whose libraries say that a router restarts: over a WebSocket, and over server-sent events. */
export const statusClients: readonly StatusClient[] = liveClients
  .filter(({ name }) => ['graphql-ws', 'graphql-sse'].includes(name))
  .map(toStatusClient);

function toStatusClient({ name, subscribe }: LiveClient): StatusClient {
  return ({ url, token, variables }, { next, ended }) =>
    subscribe(
      { graphqlUrl: `${url}/graphql` },
      token,
      { query: STATUS, variables },
      {
        next({ data, errors }) {
          if (errors) ended({ failure: errors.map(describeError).join('; ') });
          else next(data.bookingStatus);
        },
        ended(error) {
          if (error === undefined) ended('completed');
          else
            ended(isRestart(error) ? 'restarted' : { failure: `${name}: ${describeError(error)}` });
        },
      },
    );
}

function isRestart(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === SERVICE_RESTART || message === STREAM_ENDED;
}

/** An error of the connection, its close event, or the errors with which an operation was refused. */
function describeError(error: unknown): string {
  if (Array.isArray(error)) return error.map(describeError).join('; ');
  const { code, reason, message } = error as Partial<Record<'code' | 'reason' | 'message', string>>;
  return message ?? `closed with ${code} ${reason}`;
}
