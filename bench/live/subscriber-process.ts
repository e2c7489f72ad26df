import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { serveTasks } from './child.ts';

/** What one client subscribes to. */
export interface Subscribing {
  token: string;
  query: string;
  variables: Record<string, unknown>;
}

/** When this client received a message with this version, in milliseconds since 1970. */
export interface Receipt {
  client: number;
  version: number;
  at: number;
}

export interface Received {
  messages: number;
  /** Milliseconds of `performance.now()` in the clients' process. */
  at: number;
}

const MAX_OPENING = 64;
const SUBSCRIPTION_PROTOCOL = 'graphql-transport-ws';
const VERSION = '"version":';

const sockets: WebSocket[] = [];
const receipts: Receipt[] = [];
let messages = 0;
let newest: Buffer = Buffer.alloc(0);

/**
 * All subscribers of the benchmark. They parse only the part of a message that they need, because they
 * share the machine with the measured router.
 */
const tasks = {
  /** Connects and subscribes each client; resolves when each has received its first message. */
  async subscribe(input: { url: string; each: Subscribing[]; recordReceipts: boolean }) {
    await runConcurrently(input.each, (each, client) =>
      subscribe(input.url, each, input.recordReceipts ? client : undefined),
    );
  },
  /** Connects this many clients to a server that sends without a subscription. */
  async connect({ url, clients }: { url: string; clients: number }) {
    await runConcurrently(Array(clients).fill(url), (each) => {
      const socket = open(each);
      socket.on('message', count);
      return opened(socket);
    });
  },
  received: (): Received => ({ messages, at: performance.now() }),
  receipts: (): Receipt[] => receipts.splice(0),
  /** The bytes of the last message. */
  newest: () => newest,
  async close() {
    await Promise.all(
      sockets.splice(0).map((socket) => {
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.removeAllListeners('message');
        socket.terminate();
        return closed;
      }),
    );
  },
};
export type SubscriberTasks = typeof tasks;

function count(data: Buffer): void {
  messages += 1;
  newest = data;
}

async function runConcurrently<Each>(
  all: readonly Each[],
  connect: (each: Each, index: number) => Promise<void>,
): Promise<void> {
  const left = all.entries();
  const workers = Array.from({ length: MAX_OPENING }, async () => {
    for (const [index, each] of left) await connect(each, index);
  });
  await Promise.all(workers);
}

function open(url: string, protocol?: string): WebSocket {
  const socket = new WebSocket(url, protocol, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  sockets.push(socket);
  return socket;
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
}

/** With a UUID as the subscription's id, as the graphql-ws library generates. */
async function subscribe(
  url: string,
  { token, query, variables }: Subscribing,
  client: number | undefined,
): Promise<void> {
  const socket = open(url, SUBSCRIPTION_PROTOCOL);
  await opened(socket);
  const subscription = { id: randomUUID(), type: 'subscribe', payload: { query, variables } };
  await new Promise<void>((resolve, reject) => {
    socket.once('close', (code, reason) => reject(new Error(`closed with ${code}: ${reason}`)));
    socket.on('message', (data: Buffer) => {
      if (data.includes('"type":"connection_ack"'))
        return socket.send(JSON.stringify(subscription));
      if (!data.includes('"type":"next"')) return reject(new Error(`it received ${data}`));
      socket.removeAllListeners('message');
      socket.on(
        'message',
        client === undefined ? count : (next: Buffer) => recordReceipt(client, next),
      );
      newest = data;
      resolve();
    });
    const payload = { Authorization: `Bearer ${token}` };
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
  });
}

function recordReceipt(client: number, data: Buffer): void {
  const at = performance.timeOrigin + performance.now();
  count(data);
  const from = data.indexOf(VERSION) + VERSION.length;
  receipts.push({
    client,
    version: Number.parseInt(data.toString('latin1', from, from + 12), 10),
    at,
  });
}

serveTasks(tasks);
