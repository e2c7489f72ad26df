import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { serveTasks } from './child.ts';

/** The router's limit: a client with more unsent bytes is slow, and is skipped until it has caught up. */
const SLOW_BYTES = 128 * 1_024;

let server: WebSocketServer;
let broadcasting = false;

/** The limit: a bare ws server that sends the same bytes to all of its clients. */
const tasks = {
  /** Listens on a free port; resolves with its address. */
  async listen() {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await new Promise((resolve) => server.once('listening', resolve));
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** Sends the message to all clients, again and again, until `end`. */
  broadcast(message: Uint8Array) {
    broadcasting = true;
    const round = () => {
      for (const client of server.clients) {
        if (client.bufferedAmount < SLOW_BYTES) client.send(message, { binary: false });
      }
      if (broadcasting) setImmediate(round);
    };
    setImmediate(round);
  },
  end() {
    broadcasting = false;
  },
};
export type BroadcastTasks = typeof tasks;

serveTasks(tasks);
