import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { inheritedCorrelation, newCorrelation } from '#platform/observability/correlation.ts';
import { until } from '../../tests/support/system.ts';
import type { SubgraphResponse } from '../src/executor/subgraph.ts';
import { openPublicServer, type RunningServer } from './public-server-fixture.ts';

const QUERY = '{ spaces { edges { cursor } } }';
const EMPTY: SubgraphResponse = { data: { spaces: { edges: [] } } };
const JSON_TYPE = { 'content-type': 'application/json' };

let server: RunningServer;
beforeAll(async () => {
  server = await openPublicServer({
    BODY_LIMIT_BYTES: '2048',
    REQUEST_RECEIVE_TIMEOUT_MS: '500',
    REQUEST_TIMEOUT_MS: '1500',
    SPACERENT_PROFILE: 'embedded',
  });
});
afterAll(() => server.close());

/** A TCP connection to the router, and what it has received. */
interface Connection {
  socket: Socket;
  received(): string;
}

function openConnection({ allowHalfOpen = false } = {}): Connection {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen });
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
  });
  return { socket, received: () => received };
}

/** What the router writes to a TCP connection until it closes it. */
async function raw(write: (send: (text: string) => void) => void): Promise<string> {
  const { socket, received } = openConnection();
  write((text) => socket.write(text));
  await once(socket, 'close');
  return received();
}

describe('errors of HTTP', () => {
  const large = JSON.stringify({ query: `{ spaces { edges { cursor } } } #${'x'.repeat(2_048)}` });

  test.each([
    ['a body above the limit', 413, 'PAYLOAD_TOO_LARGE', 'POST', '/graphql', JSON_TYPE, large],
    ['a body that is not JSON', 400, 'BAD_REQUEST', 'POST', '/graphql', JSON_TYPE, '{"query":'],
    ['an empty body', 400, 'BAD_REQUEST', 'POST', '/graphql', JSON_TYPE, ''],
    [
      'a body that sets __proto__',
      400,
      'BAD_REQUEST',
      'POST',
      '/graphql',
      JSON_TYPE,
      '{"__proto__":{"a":1}}',
    ],
    [
      'another content type',
      415,
      'BAD_REQUEST',
      'POST',
      '/graphql',
      { 'content-type': 'a/b' },
      'x',
    ],
    ['an unknown path', 404, 'NOT_FOUND', 'GET', '/nothing', {}, undefined],
    ['an unknown method', 404, 'NOT_FOUND', 'DELETE', '/graphql', {}, undefined],
    ['an invalid URL', 400, 'BAD_REQUEST', 'GET', '/%zz', {}, undefined],
    [
      'an invalid host',
      400,
      'BAD_REQUEST',
      'GET',
      '/graphql?query=%7B__typename%7D',
      { host: '[', 'apollo-require-preflight': '1' },
      undefined,
    ],
  ])(
    'an HTTP request with %s is refused with %i %s',
    async (_what, status, code, method, path, headers, body) => {
      const response = await server.send(method, path, headers, body);
      expect(response).toMatchObject({
        status,
        json: { errors: [{ message: expect.any(String), extensions: { code } }] },
      });
      const [{ extensions }] = response.json.errors;
      expect(extensions.correlationId).toMatch(/^[0-9a-f-]{36}$/);
      expect(response.text).not.toMatch(
        /stack|FST_|fastify|node_modules|Error:|127\.0\.0\.1|SyntaxError/i,
      );
      expect(response.headers['content-type']).toContain('application/json');
    },
  );

  test.each([
    ['bytes that are not HTTP', 'NONSENSE\r\n\r\n', 400],
    ['headers without end', `GET /graphql HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`, 431],
  ])('%s get a response in JSON', async (_what, text, status) => {
    const received = await raw((send) => send(text));
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const { errors } = JSON.parse(received.slice(received.indexOf('\r\n\r\n')));
    expect(errors[0].extensions).toEqual({
      code: 'BAD_REQUEST',
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });
});

describe('the end of a connection', () => {
  const REQUEST =
    'GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: a\r\nApollo-Require-Preflight: 1\r\n\r\n';
  const LARGE =
    'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{';

  /** Sends the start of a request, and resolves once the server has closed its side of the connection. */
  async function sendRefused(request: string): Promise<Connection> {
    const connection = openConnection({ allowHalfOpen: true });
    connection.socket.write(request);
    await once(connection.socket, 'end');
    return connection;
  }
  const send = (socket: Socket, text: string) =>
    new Promise<void>((resolve, reject) => {
      socket.write(text, (error) => (error ? reject(error) : resolve()));
    });

  test.each([
    ['bytes that are not HTTP', 'NONSENSE\r\n\r\n', 400],
    ['a body above the limit', LARGE, 413],
  ])(
    'a client that goes on sending after the response to %s is not reset, and gets no other response',
    async (_what, request, status) => {
      const { socket, received } = await sendRefused(request);
      for (let i = 0; i < 20; i += 1) await send(socket, REQUEST);
      socket.end();
      await once(socket, 'close');
      expect(received().match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
    },
  );

  test('bytes that are not HTTP end a stream without a response in it', async () => {
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    server.subgraph.respond = () => finished.then(() => EMPTY);
    const { socket, received } = openConnection();
    const body = JSON.stringify({ query: QUERY });
    socket.write(
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
        `Accept: text/event-stream\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until('the stream has begun', async () => received().includes('\r\n\r\n'));
    socket.write('NONSENSE\r\n\r\n');
    await once(socket, 'close');
    finish();
    server.subgraph.respond = async () => EMPTY;
    expect(received().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
  });

  test('a client that does not stop sending after the response is disconnected', async () => {
    const { socket } = await sendRefused(LARGE);
    socket.on('error', () => {});
    const sendForEver = async () => {
      for (;;) {
        await send(socket, REQUEST);
        await pause(50);
      }
    };
    await expect(sendForEver()).rejects.toThrow(/EPIPE|ECONNRESET/);
  });
});

describe('timeouts', () => {
  test.each([
    ['headers', 'POST /graphql HTTP/1.1\r\nHost: a\r\n', 'X: 1\r\n'],
    [
      'a body',
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
      ' ',
    ],
  ])('a request whose client sends %s slowly is refused with 408', async (_what, begin, more) => {
    let sending: NodeJS.Timeout | undefined;
    const received = await raw((send) => {
      send(begin);
      sending = setInterval(() => send(more), 100);
    }).finally(() => clearInterval(sending));
    expect(received).toMatch(/^HTTP\/1.1 408 Request Timeout/);
    expect(received).toContain('"code":"REQUEST_TIMEOUT"');
  });

  test('a request without a response in time is refused with 503', async () => {
    let finish: (response: SubgraphResponse) => void = () => {};
    server.subgraph.respond = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    try {
      const { status, json } = await server.post({ query: QUERY });
      expect(status).toBe(503);
      expect(json.errors[0]).toMatchObject({
        message: expect.stringContaining('no response within 1500 ms'),
        extensions: { code: 'REQUEST_TIMEOUT' },
      });
      // The late response is ignored.
      finish(EMPTY);
    } finally {
      server.subgraph.respond = async () => EMPTY;
    }
    expect((await server.post({ query: QUERY })).status).toBe(200);
  });

  test('a stream may last longer than the timeout of responses', async () => {
    server.subgraph.respond = async () => {
      await pause(2_000);
      return EMPTY;
    };
    try {
      const { status, text } = await server.post({ query: QUERY }, { accept: 'text/event-stream' });
      expect(status).toBe(200);
      expect(text).toContain('event: complete');
    } finally {
      server.subgraph.respond = async () => EMPTY;
    }
  });
});

describe('correlation ids', () => {
  const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

  test.each([
    ['/graphql?query=x', 400],
    ['/nothing', 404],
    ['/%zz', 400],
    ['/health/live', 200],
  ])(
    'the correlation id of a response to %s is the router’s, not the client’s',
    async (path, status) => {
      const sent = { 'x-correlation-id': 'chosen-by-a-client' };
      const response = await server.send('GET', path, sent);
      expect(response.status).toBe(status);
      expect(response.headers['x-correlation-id']).toMatch(UUID);
      expect(response.text).not.toContain('chosen-by-a-client');
      const named = response.json.errors?.[0].extensions.correlationId;
      if (named) expect(named).toBe(response.headers['x-correlation-id']);
    },
  );

  test.each([
    ['chosen-by-a-client', 'chosen-by-a-client'],
    ['A.b_c-12', 'A.b_c-12'],
    ['short', undefined],
    ['a'.repeat(65), undefined],
    ['with space', undefined],
    [undefined, undefined],
    [['chosen-by-a-client'], undefined],
  ])('a correlation id that a client sends as %j is logged as %j', (offered, clientId) => {
    expect(newCorrelation(offered)).toEqual({ id: expect.stringMatching(UUID), clientId });
  });

  test('the correlation id of a request between services is passed on', () => {
    expect(inheritedCorrelation('the-request').id).toBe('the-request');
    expect(inheritedCorrelation('a"b').id).toMatch(UUID);
  });
});
