import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { startIdentityProvider } from '../support/identity-provider.mjs';
import { startSecondRouter } from '../support/second-router.mjs';
import { System, until } from '../support/system.ts';
import { forgeries, signed, strangersPublicKey, withKeyUrl } from './forged-tokens.ts';

const MY_PAGE = '{ myPage { bookings { edges { cursor } } } }';
const PUBLIC = '{ spaces(first: 1) { edges { cursor } } }';

type IdentityProvider = Awaited<ReturnType<typeof startIdentityProvider>>;

/** An identity provider, and a router of the servers profile that trusts it and uses a running system. */
async function start(name: string, settings: Record<string, string> = {}) {
  const home = process.env.SYSTEM_EMBEDDED as string;
  const provider = await startIdentityProvider();
  await provider.addKey('key-2');
  return {
    provider,
    home,
    async open() {
      const router = await startSecondRouter(home, name, {
        SPACERENT_PROFILE: 'servers',
        ...provider.settings,
        ...settings,
      });
      const system = new System('servers', home, router.graphqlUrl);
      return { ...router, system };
    },
  };
}

/** Connects over graphql-ws and resolves with the data of a query, or the code of the end. */
function overWebSocket(
  system: System,
  headers: object,
): Promise<{ data?: unknown; code?: number }> {
  return new Promise((resolve) => {
    const client = createClient({
      url: system.graphqlUrl.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { ...headers },
      retryAttempts: 0,
      onNonLazyError: () => {},
    });
    const finish = (response: { data?: unknown; code?: number }) => {
      resolve(response);
      void client.dispose();
    };
    client.subscribe(
      { query: MY_PAGE },
      {
        next: ({ data }) => finish({ data }),
        error: (reason) => finish({ code: (reason as { code: number }).code }),
        complete: () => {},
      },
    );
  });
}

describe('the router of the servers profile', () => {
  let provider: IdentityProvider;
  let system: System;
  let log: string;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const started = await start('tokens-router');
    provider = started.provider;
    ({ system, stop, log } = await started.open());
  });
  afterAll(async () => {
    await stop?.();
    await provider?.stop();
  });

  test.each([
    ['with the usual claims', {}, {}],
    [
      'with several audiences, one of them its own',
      { aud: ['x', 'https://api.spacerent.example'] },
      {},
    ],
    ['with roles of other systems among its own', { roles: ['uma_protection', 'customer', 7] }, {}],
    ['with a type', {}, { typ: 'at+jwt' }],
    [
      'of a clock that is a little fast',
      { iat: Date.now() / 1_000 + 3, nbf: Date.now() / 1_000 + 3 },
      {},
    ],
  ])('the router accepts a token %s', async (_name, claims, header) => {
    const token = await signed(provider, claims, header);
    const { status, errors } = await system.graphql(token, MY_PAGE);
    expect({ status, errors }).toEqual({ status: 200, errors: undefined });
    const live = await overWebSocket(system, { authorization: `Bearer ${token}` });
    expect(live.data).toBeDefined();
  });

  test.each(forgeries)('the router refuses a token %s', async (_name, forge) => {
    const token = await forge(provider);
    for (const query of [MY_PAGE, PUBLIC]) {
      const { status, data, errors } = await system.graphql(token, query);
      expect(status).toBe(401);
      expect(data).toBeUndefined();
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    }
    expect(await overWebSocket(system, { authorization: `Bearer ${token}` })).toEqual({
      code: 4403,
    });
    const stream = await fetch(system.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: 'subscription { myBookingStatuses { status } }' }),
    });
    expect(stream.status).toBe(401);
    await stream.text();
  });

  test.each(['jku', 'x5u'] as const)(
    'the router does not fetch the key that a token names by %s',
    async (by) => {
      let requests = 0;
      const attacker = createServer((_request, response) => {
        requests += 1;
        response.end(JSON.stringify({ keys: [strangersPublicKey] }));
      });
      await new Promise<void>((resolve) => attacker.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(attacker.address() as AddressInfo).port}/keys`;
      const { status } = await system.graphql(await withKeyUrl(provider, by, url), MY_PAGE);
      expect(status).toBe(401);
      expect(requests).toBe(0);
      await new Promise((resolve) => attacker.close(resolve));
    },
  );

  test('the router refuses a request with two Authorization headers', async () => {
    const kim = `Bearer ${await signed(provider)}`;
    const lee = `Bearer ${await signed(provider, { sub: 'lee' })}`;
    for (const values of [
      [kim, lee],
      [kim, kim],
      [kim, ''],
    ]) {
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const headers = ['content-type', 'application/json', 'host', new URL(system.address).host];
        for (const value of values) headers.push('Authorization', value);
        request(system.graphqlUrl, { method: 'POST', headers: headers as never }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode));
        })
          .once('error', reject)
          .end(JSON.stringify({ query: PUBLIC }));
      });
      expect(status).toBe(401);
    }
    expect(await overWebSocket(system, { authorization: kim, Authorization: lee })).toEqual({
      code: 4403,
    });
  });

  test.each(['Basic a2ltOmtpbQ==', 'Bearer', 'Bearer a b', 'Token abc', 'bearer: x'])(
    'the router refuses the Authorization header "%s"',
    async (authorization) => {
      const { status } = await system.graphql(null, PUBLIC, {}, { authorization });
      expect(status).toBe(401);
    },
  );

  test.each(['GET', 'POST'])(
    'the router of the servers profile issues no development tokens by %s',
    async (method) => {
      const response = await fetch(`${system.address}/dev/token`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(method === 'POST' && { body: JSON.stringify({ user: 'kim', roles: ['operator'] }) }),
      });
      expect(response.status).toBe(404);
      await response.text();
    },
  );

  test('the router logs why tokens were refused, and no token', () => {
    const text = readFileSync(log, 'utf8');
    expect(text).toContain('a token was refused');
    expect(text).toContain('"claim":"aud"');
    expect(text).not.toMatch(/eyJ[\w-]+\./);
  });
});

describe('an identity provider that is unavailable', () => {
  test('a router that starts without its provider responds with 503 to tokens and serves the public part', async () => {
    const { provider, open } = await start('away-router');
    provider.setBehaviour('error');
    const { system, stop } = await open();
    const authorization = `Bearer ${await signed(provider)}`;
    const { status, errors } = await system.graphql(null, MY_PAGE, {}, { authorization });
    expect(status).toBe(503);
    expect(errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
    expect(await overWebSocket(system, { authorization })).toEqual({ code: 1013 });
    expect((await system.graphql(null, PUBLIC)).status).toBe(200);

    provider.setBehaviour('keys');
    await until('its keys are known', async () => {
      const response = await system.graphql(null, MY_PAGE, {}, { authorization });
      return response.status === 200;
    });
    await stop();
    await provider.stop();
  });

  test.each(['error', 'nothing'] as const)(
    'a router whose provider responds with %s keeps its known keys and responds with 503 to unknown ones',
    async (behaviour) => {
      const { provider, open } = await start(`away-later-router-${behaviour}`, {
        AUTH_KEYS_MAX_AGE_SECONDS: '1',
        AUTH_KEYS_COOLDOWN_SECONDS: '1',
      });
      const { system, stop } = await open();
      expect((await system.graphql(await signed(provider), MY_PAGE)).status).toBe(200);
      provider.setBehaviour(behaviour);
      const before = provider.keyRequests();
      let number = 0;
      await until(
        'the router has tried in vain to fetch the keys',
        async () => {
          // Each token is new: one from the cache would prove nothing.
          const token = await signed(provider, { jti: `${++number}` });
          const { status } = await system.graphql(token, MY_PAGE);
          expect(status).toBe(200);
          return provider.keyRequests() >= before + 2;
        },
        25,
      );
      const unknown = await signed(provider, {}, { kid: 'unknown' });
      const { status, errors } = await system.graphql(unknown, MY_PAGE);
      expect(status).toBe(503);
      expect(errors?.[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
      await stop();
      await provider.stop();
    },
    45_000,
  );
});
