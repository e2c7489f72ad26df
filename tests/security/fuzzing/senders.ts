import { Agent, request as httpRequest } from 'node:http';
import { WebSocket } from 'ws';
import type { RandomRequest } from './random-requests.ts';

/** The response to a request. */
export interface Received {
  status: number;
  type: string;
  text: string;
  /** Frames of a WebSocket, and its close frame, if there was one. */
  frames: string[];
  close: { code: number; reason: string } | null;
}

/** Streams and WebSockets stay open; their first messages are enough. */
const STREAM_MS = 40;
const RESPONSE_TIMEOUT_MS = 25_000;
const agent = new Agent({ keepAlive: true });

/** Sends a request and resolves with its response; rejects if there is none. */
export function send(address: string, request: RandomRequest): Promise<Received> {
  return request.over === 'http' ? sendHttp(address, request) : sendFrames(address, request);
}

function sendHttp(address: string, request: RandomRequest & { over: 'http' }): Promise<Received> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {};
    for (const [name, value] of request.headers) headers[name] = headerValue(value);
    // Node's client sets this header for some methods only.
    if (request.body !== null) headers['content-length'] = String(Buffer.byteLength(request.body));
    const sent = httpRequest(
      { agent, host: hostname, port, method: request.method, path: request.path, headers },
      (response) => {
        let text = '';
        const { 'content-type': type = '' } = response.headers;
        const done = () =>
          resolve({ status: response.statusCode ?? 0, type, text, frames: [], close: null });
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', done);
        response.on('error', done);
        if (/event-stream|multipart/.test(type)) {
          setTimeout(() => {
            done();
            sent.destroy();
          }, STREAM_MS);
        }
      },
    );
    sent.setTimeout(RESPONSE_TIMEOUT_MS, () => sent.destroy(new Error('no response')));
    sent.on('error', reject);
    // A server may ignore a wrong Upgrade header or close the connection, but not upgrade.
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server upgraded an ordinary request'));
    });
    sent.end(request.body ?? undefined);
  });
}

function sendFrames(
  address: string,
  request: RandomRequest & { over: 'websocket' },
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const frames: string[] = [];
    const headers = Object.fromEntries(
      request.headers
        .filter(([name]) => name !== 'upgrade')
        .map(([name, value]) => [name, headerValue(value)]),
    );
    const socket = new WebSocket(`${address.replace('http', 'ws')}/graphql`, request.protocol, {
      headers,
    });
    const openTimeout = setTimeout(() => {
      reject(new Error('the WebSocket did not open'));
      socket.terminate();
    }, RESPONSE_TIMEOUT_MS);
    let close: Received['close'] = null;
    const done = (status = 101) => {
      clearTimeout(openTimeout);
      resolve({ status, type: '', text: '', frames, close });
    };
    socket.on('open', () => {
      for (const frame of request.frames) socket.send(frame);
      clearTimeout(openTimeout);
      // Leaves time for the first messages and for a close.
      setTimeout(
        () => (socket.readyState === WebSocket.OPEN ? socket.close() : undefined),
        STREAM_MS,
      );
    });
    socket.on('message', (data) => frames.push(String(data)));
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      done(response.statusCode);
    });
    socket.on('close', (code, reason) => {
      close = { code, reason: String(reason) };
      done();
    });
    // Sending fails when the server has already closed the connection.
    socket.on('error', () => {});
  });
}

/** Removes characters that Node's client refuses to send; other tests send them over plain sockets. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 4_000);
}
