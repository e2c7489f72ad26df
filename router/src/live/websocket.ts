import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { GraphQLError, GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { correlated } from '#platform/observability/correlation.ts';
import type { Logger } from '#platform/observability/logger.ts';
import { authorizationOf, type Identified } from '../identity/identity.ts';
import { atInstant } from './at-instant.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { framer } from './frames.ts';
import { IdleClose, type IdleTimes } from './idle-close.ts';
import type { Operations } from './operations.ts';
import { pacedSink } from './paced-sink.ts';
import { Endless } from './pending-iterator.ts';

/** What this module knows of a connection. */
interface Connection {
  socket: WebSocket;
  /** Where the socket's frames go to. */
  wire: Duplex;
  /** Of the request; it counts unless `connection_init` brings one. */
  authorization: string | undefined;
  identified: Identified | null;
  address: string;
  /** Cancels the end of the connection that its token brings. */
  stayOpen: () => void;
  idle: IdleClose;
}

const CONNECTION_INIT_MS = 5_000;
const PING_MS = 12_000;
/** RFC 6455, section 7.4.1 and its registry: the service restarts, come back. */
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;

/**
 * Serves GraphQL over WebSocket at `path`, by the graphql-transport-ws protocol (PROTOCOL.md of
 * graphql-ws): the library keeps to it, answers to subscriptions are written once for all clients.
 */
export function serveWebSockets(deps: {
  server: Server;
  path: string;
  schema: GraphQLSchema;
  operations: Operations;
  /** Throws a sentence for what is no valid token. */
  identify: (authorization: string | undefined) => Promise<Identified | null>;
  /** The address of who sends a request. */
  addressOf: (request: IncomingMessage) => string;
  /** May a page, by its origin, connect? */
  mayConnect: (request: IncomingMessage) => boolean;
  limits: ConnectionLimits;
  idleTimes: IdleTimes;
  /** In bytes. */
  largestMessage: number;
  logger: Logger;
}): { leave(withinMs: number): Promise<void> } {
  const { server, path, schema, operations, identify, addressOf, logger } = deps;
  const sockets = new WebSocketServer({
    noServer: true,
    // Another protocol is accepted for as long as it takes to say, by a close code, that it is not spoken.
    handleProtocols: (offered) => handleProtocols(offered) || String([...offered][0]),
    maxPayload: deps.largestMessage,
    perMessageDeflate: false,
  });

  const protocol = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: CONNECTION_INIT_MS,
    async onConnect(context) {
      const { extra } = context;
      const authorization = givenIn(context.connectionParams) ?? extra.authorization;
      // Not needed any more, but they would stay as long as the connection.
      extra.authorization = undefined;
      Object.assign(context, { connectionParams: undefined });
      try {
        extra.identified = await identify(authorization);
      } catch (error) {
        const { message, extensions } = error as GraphQLError;
        const isOurFault = extensions?.code === 'SERVICE_UNAVAILABLE';
        extra.socket.close(isOurFault ? TRY_AGAIN_LATER : CloseCode.Forbidden, message);
        return false;
      }
      // A code on which clients of graphql-ws connect again, with a new token.
      extra.stayOpen = atInstant(extra.identified?.expiresAt, () =>
        extra.socket.close(CloseCode.Forbidden, 'The token has expired: connect with a new one.'),
      );
      if (extra.identified) extra.idle.signedIn();
      return true;
    },
    onComplete: ({ extra }) => extra.idle.operationEnded(),
    // Each operation is a request of its own.
    onSubscribe: ({ extra }, id, payload) =>
      correlated(async () => {
        const begun = await begin(extra, id, payload);
        // Of what began, the protocol says when it is complete.
        if (Array.isArray(begun)) extra.idle.operationEnded();
        return begun;
      }),
    // Answers are written past the library; it only waits until there are no more.
    subscribe: ({ contextValue }) => contextValue as AsyncGenerator<never>,
    execute: ({ contextValue }) => contextValue as never,
  });

  async function begin(extra: Connection, id: string, payload: SubscribePayload) {
    extra.idle.operationBegan();
    const { socket, wire, identified, address } = extra;
    const viewer = identified?.viewer ?? null;
    const ending = new Endless();
    const framed = framer(id);
    const sink = pacedSink({
      // Past the library, whose frames are whole when its calls return: without compression.
      write(payloads) {
        if (!ending.isOver && socket.readyState === socket.OPEN) wire.write(framed(payloads));
      },
      waiting: () => wire.writableLength,
      end: () => ending.end(),
    });
    const asked = await operations.admit(payload, { viewer, address });
    if ('errors' in asked) return [...asked.errors];
    // The library keeps the message as long as the subscription: with the copy that all share.
    Object.assign(payload, { query: asked.text });
    const opened = await operations.open(asked, viewer, sink, 'websocket');
    if ('errors' in opened) return [...opened.errors];
    ending.onReturn(opened.end);
    if (socket.readyState !== socket.OPEN) opened.end();
    const { document, operationName } = asked;
    return { schema, document, operationName, contextValue: ending };
  }

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const connection: Connection = {
      socket,
      wire: request.socket,
      authorization: authorizationOf(request),
      identified: null,
      address: addressOf(request),
      stayOpen: () => {},
      idle: new IdleClose(socket, deps.idleTimes),
    };
    socket.on('error', (error) => logger.info({ err: error }, 'a WebSocket broke'));
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: async (message) => {
          if (socket.readyState === socket.OPEN) socket.send(message);
        },
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) =>
          socket.on('message', (data) => {
            handle(String(data)).catch((error) => {
              // As many as clients like: no stack for each.
              logger.info({ reason: error.message }, 'a WebSocket message could not be handled');
              socket.close(CloseCode.BadRequest, 'This message is not understood.');
            });
          }),
      },
      connection,
    );
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    socket.once('close', (code, reason) => {
      connection.stayOpen();
      connection.idle.stop();
      void closed(code, String(reason));
    });
  });

  const alive = new WeakSet<WebSocket>();
  const pinging = setInterval(() => {
    for (const socket of sockets.clients) {
      // Who has not answered since the last ping is gone.
      if (!alive.delete(socket)) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, PING_MS);

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.split('?')[0] !== path) {
      refuseUpgrade(socket, '404 Not Found');
      return;
    }
    if (!deps.mayConnect(request)) {
      refuseUpgrade(socket, '403 Forbidden');
      return;
    }
    const refusal = deps.limits.count(addressOf(request), socket);
    if (refusal) {
      refuseUpgrade(socket, refusal, `Retry-After: ${RETRY_AFTER_S}\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) =>
      sockets.emit('connection', opened, request),
    );
  };
  server.on('upgrade', onUpgrade);

  return {
    async leave(withinMs) {
      server.off('upgrade', onUpgrade);
      const clients = [...sockets.clients];
      // In batches, so that they don't come back all at once.
      for (let start = 0; start < clients.length; start += LEAVING_SIZE) {
        if (start > 0) await pause((withinMs * LEAVING_SIZE) / clients.length);
        for (const client of clients.slice(start, start + LEAVING_SIZE)) {
          client.close(SERVICE_RESTART, 'The service restarts: connect again.');
        }
      }
      clearInterval(pinging);
      const lastWordsAt = performance.now() + LAST_WORDS_MS;
      while (sockets.clients.size > 0 && performance.now() < lastWordsAt) await pause(20);
      for (const client of sockets.clients) client.terminate();
    },
  };
}

/** By then strangers' connections that serve no purpose are closed. */
const RETRY_AFTER_S = 10;

function refuseUpgrade(socket: Duplex, status: string, headers = ''): void {
  // A client that does not read the response is not waited for.
  socket.end(`HTTP/1.1 ${status}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`, () =>
    socket.destroy(),
  );
}

/** So long a client may take to answer the end of its connection. */
const LAST_WORDS_MS = 1_000;
const LEAVING_SIZE = 100;

function givenIn(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const given = [params?.Authorization, params?.authorization].filter(
    (each) => typeof each === 'string',
  );
  // Two are no bearer token, as with headers: nobody is taken for another.
  return given.length > 0 ? given.join(', ') : undefined;
}
