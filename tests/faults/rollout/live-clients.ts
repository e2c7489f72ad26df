import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** RFC 6455's registry: the service restarts, the client should connect again. */
const SERVICE_RESTART = 1012;
/** graphql-sse on a stream that the server has ended before the operation. */
const STREAM_ENDED = 'Connection closed while having active streams';

/** What a booking's status subscription sends. */
export interface StatusView {
  version: number;
  status: string;
}

export const STATUS = `subscription Status($id: ID!, $after: Int) {
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
export type LiveClient = (subscribing: Subscribing, observer: StatusObserver) => () => void;

type Result = { data?: unknown; errors?: readonly { message: string }[] };

/** Passes a response on; one with errors ends the subscription. */
function receive({ next, ended }: StatusObserver): (result: unknown) => void {
  return (result) => {
    const { data, errors } = result as Result;
    if (errors) ended({ failure: errors.map(({ message }) => message).join('; ') });
    else next((data as { bookingStatus: StatusView }).bookingStatus);
  };
}

/** An error of the connection, its close event, or the errors with which an operation was refused. */
function describeError(error: unknown): string {
  if (Array.isArray(error)) return error.map(describeError).join('; ');
  const { code, reason, message } = error as Partial<Record<'code' | 'reason' | 'message', string>>;
  return message ?? `closed with ${code} ${reason}`;
}

const overWebSocket: LiveClient = ({ url, token, variables }, observer) => {
  const client = createWebSocketClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    onNonLazyError: () => {},
  });
  const unsubscribe = client.subscribe(
    { query: STATUS, variables },
    {
      next: receive(observer),
      error: (error) => {
        const { code } = error as { code?: unknown };
        if (code === SERVICE_RESTART) observer.ended('restarted');
        else observer.ended({ failure: `WebSocket: ${describeError(error)}` });
      },
      complete: () => observer.ended('completed'),
    },
  );
  return () => {
    unsubscribe();
    void client.dispose();
  };
};

const overServerSentEvents: LiveClient = ({ url, token, variables }, observer) => {
  const client = createSseClient({
    url: `${url}/graphql`,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  const unsubscribe = client.subscribe(
    { query: STATUS, variables },
    {
      next: receive(observer),
      error: (error) => {
        const { message } = error as Error;
        if (message === STREAM_ENDED) observer.ended('restarted');
        else observer.ended({ failure: `stream: ${message}` });
      },
      complete: () => observer.ended('completed'),
    },
  );
  return () => {
    unsubscribe();
    client.dispose();
  };
};

export const liveClients: readonly LiveClient[] = [overWebSocket, overServerSentEvents];
