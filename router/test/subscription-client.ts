import { afterEach, beforeEach } from '@jest/globals';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { openLiveRouter } from './live-fixture.ts';

export const STATUS = `subscription ($id: ID!, $after: Int) {
  bookingStatus(bookingId: $id, afterVersion: $after) { version status booking { headcount } }
}`;

/** A client of the WebSocket at `url`; the token is the user's id; null: anonymous. */
export function connectTo(url: string, user: string | null = 'kim'): Client {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: user === null ? {} : { authorization: user },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
  });
}

/** A live router for each test of the file, and clients of it; all are closed after the test. */
export function useLiveRouter() {
  let router: Awaited<ReturnType<typeof openLiveRouter>>;
  let clients: Client[] = [];
  beforeEach(async () => {
    router = await openLiveRouter();
  });
  afterEach(async () => {
    for (const client of clients) await client.dispose();
    clients = [];
    await router.close();
  });
  return {
    get router() {
      return router;
    },
    /** For a test that needs other settings; the one before must be closed. */
    set router(other) {
      router = other;
    },
    connect(user: string | null = 'kim'): Client {
      const client = connectTo(router.url, user);
      clients.push(client);
      return client;
    },
  };
}

/** Subscribes, and records the versions that arrive. */
export function watch(client: Client, query: string, variables: Record<string, unknown> = {}) {
  // biome-ignore lint/suspicious/noExplicitAny: tests read parts of responses, and fail where they differ
  const seen: any[] = [];
  const watching = { seen, errors: [] as unknown[], isOver: false, stop: () => {} };
  watching.stop = client.subscribe(
    { query, variables },
    {
      next: ({ data }) => void seen.push(data && Object.values(data)[0]),
      error: (error) => {
        watching.errors.push(...[error].flat());
        watching.isOver = true;
      },
      complete: () => {
        watching.isOver = true;
      },
    },
  );
  return watching;
}

export const toVersions = (seen: { version: number }[]) => seen.map(({ version }) => version);
export const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);
