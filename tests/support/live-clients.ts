import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { System } from './system.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read into responses and fail where they differ
type Data = any;

export interface Observer {
  next(result: { data?: Data; errors?: readonly Data[] | undefined }): void;
  /** Called when the server ends the subscription, with the error if there is one. */
  ended(error?: unknown): void;
}

/** Subscribes with one client library. */
export interface LiveClient {
  name: string;
  subscribe(
    system: Pick<System, 'graphqlUrl'>,
    token: string | null,
    operation: { query: string; variables?: Record<string, unknown> },
    observer: Observer,
  ): () => void;
}

const authorization = (token: string | null): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};

const overWebSocket: LiveClient = {
  name: 'graphql-ws',
  subscribe(system, token, operation, { next, ended }) {
    const client = createWebSocketClient({
      url: system.graphqlUrl.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: authorization(token),
      retryAttempts: 0,
      onNonLazyError: () => {},
    });
    const unsubscribe = client.subscribe(operation, {
      next: (result) => next(result as never),
      error: (error) => ended(error),
      complete: () => ended(),
    });
    return () => {
      unsubscribe();
      void client.dispose();
    };
  },
};

const overServerSentEvents: LiveClient = {
  name: 'graphql-sse',
  subscribe(system, token, operation, { next, ended }) {
    const client = createSseClient({
      url: system.graphqlUrl,
      headers: authorization(token),
      retryAttempts: 0,
    });
    const unsubscribe = client.subscribe(operation, {
      next: (result) => next(result as never),
      error: (error) => ended(error),
      complete: () => ended(),
    });
    return () => {
      unsubscribe();
      client.dispose();
    };
  },
};

const overMultipart: LiveClient = {
  name: '@apollo/client over multipart HTTP',
  subscribe(system, token, { query, variables }, { next, ended }) {
    const client = new ApolloClient({
      link: new HttpLink({ uri: system.graphqlUrl, headers: authorization(token) }),
      cache: new InMemoryCache(),
    });
    const subscription = client
      .subscribe({
        query: gql(query),
        ...(variables && { variables }),
        fetchPolicy: 'no-cache',
        errorPolicy: 'all',
      })
      .subscribe({
        next: ({ data, error }) => {
          if (data) next({ data });
          else if (error) ended(error);
        },
        error: (error) => ended(error),
        complete: () => ended(),
      });
    return () => {
      subscription.unsubscribe();
      client.stop();
    };
  },
};

export const liveClients = [overWebSocket, overServerSentEvents, overMultipart];
