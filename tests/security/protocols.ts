import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { System } from '../support/system.ts';

export interface Refused {
  codes: string[];
  text: string;
}

export interface Operation {
  query: string;
  variables?: object;
  operationName?: string;
}

type Ask = (system: System, token: string | null, operation: Operation) => Promise<string>;

const post =
  (accept: string): Ask =>
  async (system, token, operation) => {
    const response = await fetch(system.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, ...bearer(token) },
      body: JSON.stringify(operation),
    });
    return response.text();
  };

const get: Ask = async (system, token, { query, variables = {} }) => {
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const headers = { 'apollo-require-preflight': 'true', ...bearer(token) };
  return (await fetch(`${system.graphqlUrl}?${search}`, { headers })).text();
};

const webSocket: Ask = async (system, token, operation) => {
  const socket = await openSocket(system, bearer(token));
  try {
    return await new Promise((resolve, reject) => {
      socket.on('close', (code, reason) => reject(new Error(`closed: ${code} ${reason}`)));
      socket.on('message', (data) => {
        const { type } = JSON.parse(String(data));
        if (type === 'error' || type === 'next') resolve(String(data));
      });
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: operation }));
    });
  } finally {
    socket.removeAllListeners('close');
    socket.terminate();
  }
};

/** A WebSocket that may subscribe. */
export async function openSocket(system: System, payload: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(system.graphqlUrl.replace(/^http/, 'ws'), 'graphql-transport-ws');
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.once('message', resolve);
  });
  return socket;
}

const bearer = (token: string | null): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};

export const protocols: Record<string, Ask> = {
  POST: post('application/json'),
  GET: get,
  'Server-Sent Events': post('text/event-stream'),
  'multipart HTTP': post('multipart/mixed;subscriptionSpec=1.0, application/json'),
  WebSocket: webSocket,
};

/** How an operation is refused in one of the protocols; the codes are empty when it is not. */
export async function askOver(
  protocol: string,
  system: System,
  operation: Operation,
  token: string | null = null,
): Promise<Refused> {
  const text = await (protocols[protocol] as Ask)(system, token, operation);
  return { codes: [...text.matchAll(/"code":"(\w+)"/g)].map(([, code]) => String(code)), text };
}

/** What the server says over a connection of its own, until it ends it, to what is written as it is. */
export function raw(
  address: string,
  write: (send: (data: string | Buffer) => void) => void,
  withinMs = 20_000,
): Promise<string> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(Number(port), hostname, () => write((data) => socket.write(data)));
    socket.setTimeout(withinMs, () =>
      socket.destroy(new Error(`it still waits; it said: ${said}`)),
    );
    socket.on('data', (chunk) => {
      said += String(chunk);
    });
    socket.on('close', (failed) => (failed ? undefined : resolve(said)));
    // Who still writes when the server is done with it hears of it in this way.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      said !== '' && ['EPIPE', 'ECONNRESET'].includes(String(error.code))
        ? resolve(said)
        : reject(error),
    );
  });
}
