import type { GraphQLError, GraphQLSchema } from 'graphql';
import {
  CloseCode,
  makeServer,
  type Server as ProtocolServer,
  type SubscribePayload,
} from 'graphql-ws';
import { correlated } from '#platform/observability/correlation.ts';
import type { Identify } from '../identity/identity.ts';
import { atInstant } from './at-instant.ts';
import { framer } from './frames.ts';
import type { Operations } from './operations.ts';
import { pacedSink } from './paced-sink.ts';
import { PendingIterator } from './pending-iterator.ts';
import type { Connection } from './websocket-connection.ts';

const CONNECTION_INIT_TIMEOUT_MS = 5_000;
/** RFC 6455, registry of close codes. */
const TRY_AGAIN_LATER = 1013;

/**
 * The graphql-transport-ws protocol (PROTOCOL.md of graphql-ws). The library keeps the rules of the
 * protocol; payloads are written past it, encoded once for all subscribers.
 */
export function websocketProtocol(deps: {
  schema: GraphQLSchema;
  operations: Operations;
  identify: Identify;
}): ProtocolServer<Connection> {
  const { schema, operations, identify } = deps;
  return makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: CONNECTION_INIT_TIMEOUT_MS,
    async onConnect(context) {
      const { extra, connectionParams } = context;
      const authorization = authorizationParam(connectionParams) ?? extra.authorization;
      // Not needed any more, but they would stay in memory as long as the connection.
      extra.authorization = undefined;
      Object.assign(context, { connectionParams: undefined });
      return authenticate(extra, authorization, identify);
    },
    onComplete: ({ extra }) => extra.idle.operationEnded(),
    // Each operation is a request with a correlation id of its own.
    onSubscribe: ({ extra }, id, payload) =>
      correlated(async () => {
        const started = await startOperation(extra, id, payload, schema, operations);
        // `onComplete` is called only for operations that have started.
        if (Array.isArray(started)) extra.idle.operationEnded();
        return started;
      }),
    // Payloads are written past the library: it waits for the end of an iterator that yields nothing.
    subscribe: ({ contextValue }) => contextValue as AsyncGenerator<never>,
    execute: ({ contextValue }) => contextValue as never,
  });
}

/** Identifies the client; closes the connection when its token is refused or expires. */
async function authenticate(
  connection: Connection,
  authorization: string | undefined,
  identify: Identify,
): Promise<boolean> {
  const { socket } = connection;
  try {
    connection.identity = await identify(authorization);
  } catch (error) {
    const { message, extensions } = error as GraphQLError;
    const isFault = extensions?.code === 'SERVICE_UNAVAILABLE';
    socket.close(isFault ? TRY_AGAIN_LATER : CloseCode.Forbidden, message);
    return false;
  }
  // Closed meanwhile: nothing would cancel the timer of the token's expiry.
  if (socket.readyState !== socket.OPEN) return false;
  // Clients of graphql-ws connect again on this code, with a new token.
  connection.cancelExpiry = atInstant(connection.identity?.expiresAt, () =>
    socket.close(CloseCode.Forbidden, 'The token has expired: connect with a new one.'),
  );
  if (connection.identity) connection.idle.signedIn();
  return true;
}

/** Returns the arguments with which the library executes the operation, or why it is refused. */
async function startOperation(
  connection: Connection,
  id: string,
  payload: SubscribePayload,
  schema: GraphQLSchema,
  operations: Operations,
) {
  connection.idle.operationStarted();
  const { socket, wire, identity, address } = connection;
  const principal = identity?.principal ?? null;
  const iterator = new PendingIterator();
  const encodeFrames = framer(id);
  const sink = pacedSink({
    // Safe between the library's frames, which are whole when its calls return: without compression.
    write(payloads) {
      if (!iterator.isEnded && socket.readyState === socket.OPEN) {
        wire.write(encodeFrames(payloads));
      }
    },
    bufferedBytes: () => wire.writableLength,
    end: () => iterator.end(),
  });
  const client = { principal, address };
  const request = await operations.admit(payload, client);
  if ('errors' in request) return [...request.errors];
  // The library keeps the message as long as the subscription: refer to the text that all share.
  Object.assign(payload, { query: request.text });
  const opened = await operations.open(request, client, sink, 'websocket');
  if ('errors' in opened) return [...opened.errors];
  iterator.onReturn(opened.end);
  if (socket.readyState !== socket.OPEN) opened.end();
  const { document, operationName } = request;
  return { schema, document, operationName, contextValue: iterator };
}

function authorizationParam(
  params: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const values = [params?.Authorization, params?.authorization].filter(
    (each) => typeof each === 'string',
  );
  // Joined, two values are no bearer token, as with headers: neither of them is trusted.
  return values.length > 0 ? values.join(', ') : undefined;
}
