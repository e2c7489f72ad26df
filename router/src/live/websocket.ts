import type { IncomingMessage, Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { GraphQLSchema } from 'graphql';
import { handleProtocols } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '#platform/observability/logger.ts';
import type { Identify } from '../identity/identity.ts';
import { closeGradually } from './close-gradually.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import type { IdleTimes } from './idle-close.ts';
import type { Operations } from './operations.ts';
import { openConnection } from './websocket-connection.ts';
import { keepAlive } from './websocket-keepalive.ts';
import { websocketProtocol } from './websocket-protocol.ts';
import { upgradeHandler } from './websocket-upgrade.ts';

/** RFC 6455, section 7.4.1 and its registry: the service restarts, the client should reconnect. */
const SERVICE_RESTART = 1012;
/** The time a client has to respond to the close frame. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Serves GraphQL over WebSocket at `path`, by the graphql-transport-ws protocol. */
export function serveWebSockets(deps: {
  server: Server;
  path: string;
  schema: GraphQLSchema;
  operations: Operations;
  identify: Identify;
  /** The client's address, for its rates. */
  findAddress: (request: IncomingMessage) => string;
  /** Whether a page of the request's origin may connect. */
  mayConnect: (request: IncomingMessage) => boolean;
  limits: ConnectionLimits;
  idleTimes: IdleTimes;
  maxMessageBytes: number;
  logger: Logger;
}): { close(withinMs: number): Promise<void> } {
  const { server, findAddress, idleTimes, logger } = deps;
  const sockets = new WebSocketServer({
    noServer: true,
    // An unsupported protocol is accepted, so that a close code can name the reason.
    handleProtocols: (offered) => handleProtocols(offered) || String([...offered][0]),
    maxPayload: deps.maxMessageBytes,
    perMessageDeflate: false,
  });
  const protocol = websocketProtocol(deps);
  const pings = keepAlive(sockets.clients);

  sockets.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    openConnection(socket, request, { protocol, address: findAddress(request), idleTimes, logger });
    pings.add(socket);
  });
  const onUpgrade = upgradeHandler({ ...deps, sockets });
  server.on('upgrade', onUpgrade);

  return {
    async close(withinMs) {
      server.off('upgrade', onUpgrade);
      await closeGradually([...sockets.clients], withinMs, (client) =>
        client.close(SERVICE_RESTART, 'The service restarts: connect again.'),
      );
      pings.stop();
      const deadline = performance.now() + CLOSE_TIMEOUT_MS;
      while (sockets.clients.size > 0 && performance.now() < deadline) await pause(20);
      for (const client of sockets.clients) client.terminate();
    },
  };
}
