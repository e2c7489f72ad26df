import { Agent, request as httpRequest } from 'node:http';
import { WebSocket } from 'ws';
import type { Shot } from './random-requests.ts';

/** What came back. */
export interface Seen {
  status: number;
  type: string;
  text: string;
  /** Frames of a WebSocket, and how it was closed, if it was. */
  frames: string[];
  close: { code: number; reason: string } | null;
}

/** A stream goes on, and so does a WebSocket: what comes first is enough. */
const STREAM_MS = 40;
const PATIENCE_MS = 25_000;
const agent = new Agent({ keepAlive: true });

/** Sends a shot and resolves with what came back; rejects when nothing did. */
export function send(address: string, shot: Shot): Promise<Seen> {
  return shot.over === 'http' ? sendHttp(address, shot) : sendFrames(address, shot);
}

function sendHttp(address: string, shot: Shot & { over: 'http' }): Promise<Seen> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {};
    for (const [name, value] of shot.headers) headers[name] = headerValue(value);
    // Node's client says it of some methods alone.
    if (shot.body !== null) headers['content-length'] = String(Buffer.byteLength(shot.body));
    const sent = httpRequest(
      { agent, host: hostname, port, method: shot.method, path: shot.path, headers },
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
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error('no answer')));
    sent.on('error', reject);
    // Upgrades to nothing: the server may keep them as ordinary requests or end them.
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server upgraded an ordinary request'));
    });
    sent.end(shot.body ?? undefined);
  });
}

function sendFrames(address: string, shot: Shot & { over: 'websocket' }): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const frames: string[] = [];
    const headers = Object.fromEntries(
      shot.headers
        .filter(([name]) => name !== 'upgrade')
        .map(([name, value]) => [name, headerValue(value)]),
    );
    const socket = new WebSocket(`${address.replace('http', 'ws')}/graphql`, shot.protocol, {
      headers,
    });
    const patience = setTimeout(() => {
      reject(new Error('the WebSocket did not open'));
      socket.terminate();
    }, PATIENCE_MS);
    let close: Seen['close'] = null;
    const done = (status = 101) => {
      clearTimeout(patience);
      resolve({ status, type: '', text: '', frames, close });
    };
    socket.on('open', () => {
      for (const frame of shot.frames) socket.send(frame);
      clearTimeout(patience);
      // Time for what follows at once, also for a close.
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
    // Where the server has closed already, what is still sent fails.
    socket.on('error', () => {});
  });
}

/** Node's client refuses what no server is to see; other clients don't, which raw sockets try. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 4_000);
}
