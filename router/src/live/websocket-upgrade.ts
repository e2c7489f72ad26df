import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { ConnectionLimits } from './connection-limits.ts';

/** After it anonymous connections without an operation are closed, so that there is room again. */
const RETRY_AFTER_SECONDS = 10;

/** Upgrades HTTP requests for `path` to WebSockets; responds with an HTTP error to the others. */
export function upgradeHandler(deps: {
  path: string;
  sockets: WebSocketServer;
  findAddress: (request: IncomingMessage) => string;
  mayConnect: (request: IncomingMessage) => boolean;
  limits: ConnectionLimits;
}) {
  const { path, sockets, findAddress, mayConnect, limits } = deps;
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (request.url?.split('?')[0] !== path) {
      refuseUpgrade(socket, '404 Not Found');
      return;
    }
    if (!mayConnect(request)) {
      refuseUpgrade(socket, '403 Forbidden');
      return;
    }
    const refusal = limits.count(findAddress(request), socket);
    if (refusal) {
      refuseUpgrade(socket, refusal, `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) =>
      sockets.emit('connection', opened, request),
    );
  };
}

function refuseUpgrade(socket: Duplex, status: string, headers = ''): void {
  // Destroyed at once, because a client may never read the response.
  socket.end(`HTTP/1.1 ${status}\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`, () =>
    socket.destroy(),
  );
}
