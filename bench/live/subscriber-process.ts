import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { answerAs } from './child.ts';

/** What one client does with its connection. */
export interface Subscribing {
  token: string;
  query: string;
  variables: Record<string, unknown>;
}

/** A message with this version came to this client, in milliseconds since 1970. */
export interface Receipt {
  client: number;
  version: number;
  at: number;
}

export interface Taken {
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
 * All subscribers of the benchmark. They read no more of a message than they need: the clients share
 * the machine with what is measured.
 */
const works = {
  /** Connects and subscribes for each of them; resolves when each has its first answer. */
  async subscribe(asked: { url: string; each: Subscribing[]; noteReceipts: boolean }) {
    await inTurns(asked.each, (each, client) =>
      subscribe(asked.url, each, asked.noteReceipts ? client : undefined),
    );
  },
  /** Connects so many times to what sends without being asked. */
  async connect({ url, clients }: { url: string; clients: number }) {
    await inTurns(Array(clients).fill(url), (each) => {
      const socket = open(each);
      socket.on('message', count);
      return opened(socket);
    });
  },
  taken: (): Taken => ({ messages, at: performance.now() }),
  receipts: (): Receipt[] => receipts.splice(0),
  /** The bytes of the message that came last. */
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
export type SubscriberWorks = typeof works;

function count(data: Buffer): void {
  messages += 1;
  newest = data;
}

async function inTurns<Each>(
  all: readonly Each[],
  work: (each: Each, index: number) => Promise<void>,
): Promise<void> {
  const left = all.entries();
  const turns = Array.from({ length: MAX_OPENING }, async () => {
    for (const [index, each] of left) await work(each, index);
  });
  await Promise.all(turns);
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

/** With an id as the graphql-ws library makes them. */
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
      if (!data.includes('"type":"next"')) return reject(new Error(`it was told ${data}`));
      socket.removeAllListeners('message');
      socket.on('message', client === undefined ? count : (next: Buffer) => note(client, next));
      newest = data;
      resolve();
    });
    const payload = { Authorization: `Bearer ${token}` };
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
  });
}

function note(client: number, data: Buffer): void {
  const at = performance.timeOrigin + performance.now();
  count(data);
  const from = data.indexOf(VERSION) + VERSION.length;
  receipts.push({
    client,
    version: Number.parseInt(data.toString('latin1', from, from + 12), 10),
    at,
  });
}

answerAs(works);
