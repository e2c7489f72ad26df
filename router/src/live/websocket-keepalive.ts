import type { WebSocket } from 'ws';

const PING_MS = 12_000;

/** Pings the sockets, and terminates those that have not responded to the last ping. */
export function keepAlive(sockets: ReadonlySet<WebSocket>) {
  const responsive = new WeakSet<WebSocket>();
  const timer = setInterval(() => {
    for (const socket of sockets) {
      if (!responsive.delete(socket)) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, PING_MS);
  return {
    /** Pings this socket too; it must be among the sockets. */
    add(socket: WebSocket): void {
      responsive.add(socket);
      socket.on('pong', () => responsive.add(socket));
    },
    stop: () => clearInterval(timer),
  };
}
