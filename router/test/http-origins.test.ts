import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { routerConfig } from '../src/config.ts';
import { openPublicServer, type RunningServer } from './public-server-fixture.ts';

const APP = 'https://app.example';
const OTHER = 'https://other.example';
const QUERY = '{ spaces { edges { cursor } } }';

let server: RunningServer;
beforeAll(async () => {
  server = await openPublicServer({
    CORS_ORIGINS: `${APP},http://localhost:3000`,
    BODY_LIMIT_BYTES: '2048',
    SPACERENT_PROFILE: 'embedded',
  });
});
afterAll(() => server.close());

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    server.send('OPTIONS', '/graphql', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
    });

  test('a page of an allowed origin may send requests and read responses and their headers', async () => {
    const allowed = await preflight(APP);
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type,authorization',
    });
    for (const accept of ['application/json', 'text/event-stream']) {
      const response = await server.post({ query: QUERY }, { origin: APP, accept });
      expect(response.headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-expose-headers': 'x-correlation-id, retry-after',
        vary: expect.stringContaining('Origin'),
      });
      expect(response.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  test.each([OTHER, 'null', `${APP}.other.example`, 'http://app.example'])(
    'a page of the origin %s may not read responses',
    async (origin) => {
      const responses = [
        await preflight(origin),
        await server.post({ query: QUERY }, { origin }),
        await server.send('GET', '/nothing', { origin }),
      ];
      for (const { headers } of responses) {
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
    },
  );

  test.each([
    ['a request without origin', undefined, 'open'],
    ['a page of the router’s own host', 'http://127.0.0.1', 'open'],
    ['a page of an allowed origin', APP, 'open'],
    ['a page of another origin', OTHER, 403],
    ['a page of the origin null', 'null', 403],
    ['a page of an invalid origin', 'x', 403],
  ])(
    'the upgrade to a WebSocket by %s has the expected outcome',
    async (_what, origin, outcome) => {
      const own = `http://127.0.0.1:${server.port}`;
      const headers = origin && { origin: origin === 'http://127.0.0.1' ? own : origin };
      const socket = new WebSocket(
        `ws://127.0.0.1:${server.port}/graphql`,
        'graphql-transport-ws',
        {
          headers: headers || {},
        },
      );
      const actual = await new Promise((resolve) => {
        socket.once('open', () => resolve('open'));
        socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
        socket.on('error', () => {});
      });
      expect(actual).toBe(outcome);
      socket.terminate();
    },
  );

  test('a WebSocket message above the limit of a body closes the connection', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/graphql`, 'graphql-transport-ws');
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

  test('every response has the security headers', async () => {
    const responses = [
      await server.post({ query: QUERY }),
      await server.post({ query: QUERY }, { accept: 'text/event-stream' }),
      await server.post({ query: '{' }),
      await server.send('GET', '/nothing'),
    ];
    for (const { headers } of responses) {
      expect(headers).toMatchObject(STRICT);
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers.server).toBeUndefined();
    }
  });

  test('the page of Apollo Sandbox may load only what it contains', async () => {
    const { headers, text } = await server.send('GET', '/graphql', { accept: 'text/html' });
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

describe('introspection and Apollo Sandbox', () => {
  const INTROSPECTION = '{ __schema { queryType { name } } }';
  const readAccess = async (env: Record<string, string>) => {
    const other = await openPublicServer(env);
    try {
      return {
        schema: (await other.post({ query: INTROSPECTION })).status,
        page: (await other.send('GET', '/graphql', { accept: 'text/html' })).headers[
          'content-type'
        ],
        invalidVariable: await other.post({
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
    ['are served in the embedded profile', { SPACERENT_PROFILE: 'embedded' }, true],
    ['are not served in the servers profile', {}, false],
    ['are served when the settings turn them on', { INTROSPECTION: 'on', SANDBOX: 'on' }, true],
    [
      'are not served when the settings turn them off',
      { SPACERENT_PROFILE: 'embedded', INTROSPECTION: 'off', SANDBOX: 'off' },
      false,
    ],
  ])('the schema and the Sandbox %s', async (_what, env, isShown) => {
    const { schema, page, invalidVariable } = await readAccess(env);
    expect(schema).toBe(isShown ? 200 : 400);
    expect(String(page).includes('text/html')).toBe(isShown);
    expect(invalidVariable.status).toBe(400);
    expect(invalidVariable.text.includes('Did you mean')).toBe(isShown);
  });
});

describe('settings of the public server', () => {
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

  test('an error of the settings names every problem', () => {
    expect(() =>
      routerConfig({ ...env, CORS_ORIGINS: '*', SANDBOX: 'perhaps', TRUSTED_PROXIES: 'proxy' }),
    ).toThrow(
      /CORS_ORIGINS is wrong: must name every origin.*SANDBOX is wrong: must be on or off/s,
    );
  });
});
