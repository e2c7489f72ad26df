import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, type Server as ProtocolServer } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '#platform/observability/logger.ts';
import { type Identity, readAuthorization } from '../identity/identity.ts';
import { IdleClose, type IdleTimes } from './idle-close.ts';

/** The state of one WebSocket. */
export interface Connection {
  socket: WebSocket;
  /** The TCP stream under the WebSocket, for frames that are already encoded. */
  wire: Duplex;
  /** The header of the upgrade request; `connection_init` can replace it. */
  authorization: string | undefined;
  identity: Identity | null;
  address: string;
  /** Cancels the timer that closes the connection when its token expires. */
  cancelExpiry: () => void;
  idle: IdleClose;
}

/** Hands the messages of an upgraded socket to the protocol until it is closed. */
export function openConnection(
  socket: WebSocket,
  request: IncomingMessage,
  deps: {
    protocol: ProtocolServer<Connection>;
    address: string;
    idleTimes: IdleTimes;
    logger: Logger;
  },
): void {
  const { protocol, address, idleTimes, logger } = deps;
  const connection: Connection = {
    socket,
    wire: request.socket,
    authorization: readAuthorization(request),
    identity: null,
    address,
    cancelExpiry: () => {},
    idle: new IdleClose(socket, idleTimes),
  };
  socket.on('error', (error) => logger.info({ err: error }, 'a WebSocket failed'));
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
            // A client can cause any number of these: log no stack.
            logger.info({ reason: error.message }, 'a WebSocket message could not be handled');
            socket.close(CloseCode.BadRequest, 'This message is not understood.');
          });
        }),
    },
    connection,
  );
  socket.once('close', (code, reason) => {
    connection.cancelExpiry();
    connection.idle.stop();
    void closed(code, String(reason));
  });
}
