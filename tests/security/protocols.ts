import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { System } from '../support/system.ts';

/** The codes of the errors, empty without errors, and the whole text of the response. */
export interface Outcome {
  codes: string[];
  text: string;
}

export interface Operation {
  query: string;
  variables?: object;
  operationName?: string;
}

type Execute = (system: System, token: string | null, operation: Operation) => Promise<string>;

const post =
  (accept: string): Execute =>
  async (system, token, operation) => {
    const response = await fetch(system.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, ...bearer(token) },
      body: JSON.stringify(operation),
    });
    return response.text();
  };

const get: Execute = async (system, token, { query, variables = {} }) => {
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const headers = { 'apollo-require-preflight': 'true', ...bearer(token) };
  return (await fetch(`${system.graphqlUrl}?${search}`, { headers })).text();
};

const webSocket: Execute = async (system, token, operation) => {
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

/** Opens a WebSocket whose connection is initialised, so that it may subscribe. */
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

export const protocols: Record<string, Execute> = {
  POST: post('application/json'),
  GET: get,
  'Server-Sent Events': post('text/event-stream'),
  'multipart HTTP': post('multipart/mixed;subscriptionSpec=1.0, application/json'),
  WebSocket: webSocket,
};

/** Executes an operation in one of the protocols. */
export async function executeOver(
  protocol: string,
  system: System,
  operation: Operation,
  token: string | null = null,
): Promise<Outcome> {
  const text = await (protocols[protocol] as Execute)(system, token, operation);
  return { codes: [...text.matchAll(/"code":"(\w+)"/g)].map(([, code]) => String(code)), text };
}

/** Writes to a new connection, and resolves with all that the server sends until it closes the connection. */
export function sendRaw(
  address: string,
  write: (send: (data: string | Buffer) => void) => void,
  timeoutMs = 20_000,
): Promise<string> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => write((data) => socket.write(data)));
    socket.setTimeout(timeoutMs, () =>
      socket.destroy(new Error(`The server keeps the connection open; it has sent: ${received}`)),
    );
    socket.on('data', (chunk) => {
      received += String(chunk);
    });
    socket.on('close', (failed) => (failed ? undefined : resolve(received)));
    // The server may close the connection while the client is still writing.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      received !== '' && ['EPIPE', 'ECONNRESET'].includes(String(error.code))
        ? resolve(received)
        : reject(error),
    );
  });
}
