import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { inheritedCorrelation, newCorrelation } from '#platform/observability/correlation.ts';
import { routerConfig } from '../src/config.ts';
import type { SubgraphResponse } from '../src/executor/subgraph.ts';
import { openEdge, type RunningEdge } from './public-server-fixture.ts';

const APP = 'https://app.example';
const OTHER = 'https://other.example';
const QUERY = '{ spaces { edges { cursor } } }';
const JSON_TYPE = { 'content-type': 'application/json' };

let edge: RunningEdge;
beforeAll(async () => {
  edge = await openEdge({
    CORS_ORIGINS: `${APP},http://localhost:3000`,
    BODY_LIMIT_BYTES: '2048',
    REQUEST_RECEIVE_TIMEOUT_MS: '500',
    REQUEST_TIMEOUT_MS: '1500',
    SPACERENT_PROFILE: 'embedded',
  });
});
afterAll(() => edge.close());

/** What the router writes to a raw connection until it ends it. */
function raw(write: (send: (text: string) => void) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(edge.port, '127.0.0.1', () => write((text) => socket.write(text)));
    socket.on('data', (chunk) => {
      said += String(chunk);
    });
    socket.on('close', () => resolve(said));
    socket.on('error', reject);
  });
}

describe('errors of HTTP', () => {
  const large = JSON.stringify({ query: `{ spaces { edges { cursor } } } #${'x'.repeat(2_048)}` });

  test.each([
    ['too large a body', 413, 'PAYLOAD_TOO_LARGE', 'POST', '/graphql', JSON_TYPE, large],
    ['a body that is not JSON', 400, 'BAD_REQUEST', 'POST', '/graphql', JSON_TYPE, '{"query":'],
    ['an empty body', 400, 'BAD_REQUEST', 'POST', '/graphql', JSON_TYPE, ''],
    ['a poisoned body', 400, 'BAD_REQUEST', 'POST', '/graphql', JSON_TYPE, '{"__proto__":{"a":1}}'],
    ['another type', 415, 'BAD_REQUEST', 'POST', '/graphql', { 'content-type': 'a/b' }, 'x'],
    ['another address', 404, 'NOT_FOUND', 'GET', '/nothing', {}, undefined],
    ['another method', 404, 'NOT_FOUND', 'DELETE', '/graphql', {}, undefined],
    ['a broken address', 400, 'BAD_REQUEST', 'GET', '/%zz', {}, undefined],
    [
      'a broken host',
      400,
      'BAD_REQUEST',
      'GET',
      '/graphql?query=%7B__typename%7D',
      { host: '[', 'apollo-require-preflight': '1' },
      undefined,
    ],
  ])('%s: %i %s', async (_what, status, code, method, path, headers, body) => {
    const answer = await edge.send(method, path, headers, body);
    expect(answer).toMatchObject({
      status,
      json: { errors: [{ message: expect.any(String), extensions: { code } }] },
    });
    const [{ extensions }] = answer.json.errors;
    expect(extensions.correlationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.text).not.toMatch(
      /stack|FST_|fastify|node_modules|Error:|127\.0\.0\.1|SyntaxError/i,
    );
    expect(answer.headers['content-type']).toContain('application/json');
  });

  test.each([
    ['what is no HTTP', 'NONSENSE\r\n\r\n', 400],
    ['headers without end', `GET /graphql HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}`, 431],
  ])('%s is told so, in JSON', async (_what, text, status) => {
    const said = await raw((send) => send(text));
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const { errors } = JSON.parse(said.slice(said.indexOf('\r\n\r\n')));
    expect(errors[0].extensions).toEqual({
      code: 'BAD_REQUEST',
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });
});

describe('time', () => {
  test.each([
    ['headers', 'POST /graphql HTTP/1.1\r\nHost: a\r\n', 'X: 1\r\n'],
    [
      'a body',
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
      ' ',
    ],
  ])('runs out for who sends %s a little at a time', async (_what, begin, more) => {
    let sending: NodeJS.Timeout | undefined;
    const said = await raw((send) => {
      send(begin);
      sending = setInterval(() => send(more), 100);
    }).finally(() => clearInterval(sending));
    expect(said).toMatch(/^HTTP\/1.1 408 Request Timeout/);
    expect(said).toContain('"code":"REQUEST_TIMEOUT"');
  });

  test('runs out for answers that do not come', async () => {
    let finish: (answer: SubgraphResponse) => void = () => {};
    edge.subgraph.answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    try {
      const { status, json } = await edge.post({ query: QUERY });
      expect(status).toBe(503);
      expect(json.errors[0]).toMatchObject({
        message: expect.stringContaining('not answered within 1500 ms'),
        extensions: { code: 'REQUEST_TIMEOUT' },
      });
      // It comes too late, and does no harm.
      finish({ data: { spaces: { edges: [] } } });
    } finally {
      edge.subgraph.answer = async () => ({ data: { spaces: { edges: [] } } });
    }
    expect((await edge.post({ query: QUERY })).status).toBe(200);
  });

  test('does not run out for streams', async () => {
    edge.subgraph.answer = async () => {
      await pause(2_000);
      return { data: { spaces: { edges: [] } } };
    };
    try {
      const { status, text } = await edge.post({ query: QUERY }, { accept: 'text/event-stream' });
      expect(status).toBe(200);
      expect(text).toContain('event: complete');
    } finally {
      edge.subgraph.answer = async () => ({ data: { spaces: { edges: [] } } });
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
  ])('are the router’s own for %s, whatever the client sends', async (path, status) => {
    const sent = { 'x-correlation-id': 'chosen-by-a-client' };
    const answer = await edge.send('GET', path, sent);
    expect(answer.status).toBe(status);
    expect(answer.headers['x-correlation-id']).toMatch(UUID);
    expect(answer.text).not.toContain('chosen-by-a-client');
    const named = answer.json.errors?.[0].extensions.correlationId;
    if (named) expect(named).toBe(answer.headers['x-correlation-id']);
  });

  test.each([
    ['chosen-by-a-client', 'chosen-by-a-client'],
    ['A.b_c-12', 'A.b_c-12'],
    ['short', undefined],
    ['a'.repeat(65), undefined],
    ['with space', undefined],
    [undefined, undefined],
    [['chosen-by-a-client'], undefined],
  ])('of a client, as %j, are kept for the log as %j', (offered, clientId) => {
    expect(newCorrelation(offered)).toEqual({ id: expect.stringMatching(UUID), clientId });
  });

  test('of a call between services go on', () => {
    expect(inheritedCorrelation('the-request').id).toBe('the-request');
    expect(inheritedCorrelation('a"b').id).toMatch(UUID);
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    edge.send('OPTIONS', '/graphql', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
    });

  test('that are allowed may ask, and read what is said in headers', async () => {
    const asked = await preflight(APP);
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type,authorization',
    });
    for (const accept of ['application/json', 'text/event-stream']) {
      const answer = await edge.post({ query: QUERY }, { origin: APP, accept });
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-expose-headers': 'x-correlation-id, retry-after',
        vary: expect.stringContaining('Origin'),
      });
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  test.each([OTHER, 'null', `${APP}.other.example`, 'http://app.example'])(
    '%s may not',
    async (origin) => {
      const answers = [
        await preflight(origin),
        await edge.post({ query: QUERY }, { origin }),
        await edge.send('GET', '/nothing', { origin }),
      ];
      for (const { headers } of answers) {
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
    },
  );

  test.each([
    ['no origin', undefined, 'open'],
    ['our own', 'http://127.0.0.1', 'open'],
    ['an allowed one', APP, 'open'],
    ['another one', OTHER, 403],
    ['null', 'null', 403],
    ['nonsense', 'x', 403],
  ])('a WebSocket from %s', async (_what, origin, outcome) => {
    const own = `http://127.0.0.1:${edge.port}`;
    const headers = origin && { origin: origin === 'http://127.0.0.1' ? own : origin };
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/graphql`, 'graphql-transport-ws', {
      headers: headers || {},
    });
    const seen = await new Promise((resolve) => {
      socket.once('open', () => resolve('open'));
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
      socket.on('error', () => {});
    });
    expect(seen).toBe(outcome);
    socket.terminate();
  });

  test('a message over WebSocket is no larger than a body', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(2_049));
    expect(await closed).toBe(1009);
  });
});

describe('security headers', () => {
  const STRICT = {
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000',
  };

  test('are on every answer', async () => {
    const answers = [
      await edge.post({ query: QUERY }),
      await edge.post({ query: QUERY }, { accept: 'text/event-stream' }),
      await edge.post({ query: '{' }),
      await edge.send('GET', '/nothing'),
    ];
    for (const { headers } of answers) {
      expect(headers).toMatchObject(STRICT);
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers.server).toBeUndefined();
    }
  });

  test('let the page of Apollo Sandbox load what it names, and nothing else', async () => {
    const { headers, text } = await edge.send('GET', '/graphql', { accept: 'text/html' });
    expect(headers).toMatchObject({ ...STRICT, 'content-security-policy': expect.any(String) });
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    for (const element of ['script', 'style']) {
      const [, inline = ''] = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(text) ?? [];
      const hash = createHash('sha256').update(inline).digest('base64');
      expect(policy).toContain(`'sha256-${hash}'`);
    }
    expect(policy).not.toMatch(/unsafe|\*/);
    for (const [, address = ''] of text.matchAll(/src="([^"]+)"/g)) {
      expect(policy).toContain(new URL(address).origin);
    }
  });
});

describe('the schema and the page', () => {
  const INTROSPECTION = '{ __schema { queryType { name } } }';
  const asked = async (env: Record<string, string>) => {
    const other = await openEdge(env);
    try {
      return {
        schema: (await other.post({ query: INTROSPECTION })).status,
        page: (await other.send('GET', '/graphql', { accept: 'text/html' })).headers[
          'content-type'
        ],
        variable: await other.post({
          query:
            'query ($state: DeadLetterState) { bookDeadLetters(state: $state) { edges { cursor } } }',
          variables: { state: 'PARKD' },
        }),
      };
    } finally {
      await other.close();
    }
  };

  test.each([
    ['are shown when embedded', { SPACERENT_PROFILE: 'embedded' }, true],
    ['are not shown on servers', {}, false],
    ['are shown where that is said', { INTROSPECTION: 'on', SANDBOX: 'on' }, true],
    [
      'are not shown where that is said',
      { SPACERENT_PROFILE: 'embedded', INTROSPECTION: 'off', SANDBOX: 'off' },
      false,
    ],
  ])('%s', async (_what, env, isShown) => {
    const { schema, page, variable } = await asked(env);
    expect(schema).toBe(isShown ? 200 : 400);
    expect(String(page).includes('text/html')).toBe(isShown);
    expect(variable.status).toBe(400);
    expect(variable.text.includes('Did you mean')).toBe(isShown);
  });
});

describe('settings', () => {
  const env = {
    AUTH_SECRET: 'x'.repeat(32),
    BOOK_URL: 'http://a',
    PAYMENT_URL: 'http://a',
    SPACE_URL: 'http://a',
    MYPAGE_URL: 'http://a',
  };

  test.each([
    '*',
    'https://*.example',
    'app.example',
    'https://app.example/',
    'https://a,,https://b',
  ])('CORS_ORIGINS cannot be %s', (origins) => {
    expect(() => routerConfig({ ...env, CORS_ORIGINS: origins })).toThrow(/CORS_ORIGINS is wrong/);
  });

  test('name what is wrong with them', () => {
    expect(() =>
      routerConfig({ ...env, CORS_ORIGINS: '*', SANDBOX: 'perhaps', TRUSTED_PROXIES: 'proxy' }),
    ).toThrow(
      /CORS_ORIGINS is wrong: must name every origin.*SANDBOX is wrong: must be on or off/s,
    );
  });
});
