import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { LIST_SPACE } from '../support/customer.ts';
import { startSecondRouter } from '../support/second-router.mjs';
import { System, until } from '../support/system.ts';
import { type OpenIdProvider, startOpenIdProvider } from './openid-login.ts';

const AUDIENCE = 'https://api.spacerent.example';
const MY_PAGE = '{ myPage { bookings { edges { cursor } } } }';

describe('an OpenID provider', () => {
  let provider: OpenIdProvider;
  let system: System;
  let stop: () => Promise<void>;
  let log: string;

  beforeAll(async () => {
    provider = await startOpenIdProvider(AUDIENCE);
    const home = process.env.SYSTEM_EMBEDDED as string;
    const router = await startSecondRouter(home, 'oidc-router', {
      SPACERENT_PROFILE: 'servers',
      AUTH_JWKS_URL: `${provider.issuer}/jwks`,
      AUTH_ISSUER: provider.issuer,
      AUTH_AUDIENCE: AUDIENCE,
      AUTH_ROLES_CLAIM: 'realm_access.roles',
      AUTH_KEYS_MAX_AGE_SECONDS: '2',
      AUTH_KEYS_COOLDOWN_SECONDS: '1',
    });
    stop = router.stop;
    log = router.log;
    system = new System('servers', home, router.graphqlUrl);
  });
  afterAll(async () => {
    await stop?.();
    await provider?.stop();
  });

  test('a customer signs in with code and PKCE, and the API knows the customer', async () => {
    const token = await provider.signIn('kim-by-openid', AUDIENCE);
    expect(decodeJwt(token)).toMatchObject({
      sub: 'kim-by-openid',
      aud: AUDIENCE,
      iss: provider.issuer,
    });
    const { status, data, errors } = await system.graphql(token, MY_PAGE);
    expect({ status, errors }).toEqual({ status: 200, errors: undefined });
    expect(data.myPage.bookings.edges).toEqual([]);
  });

  test('roles come from the configured claim and grant what they allow', async () => {
    const input = { name: 'By OpenID', capacity: 1, hourlyRate: 1_000 };
    const host = await provider.signIn('hana', AUDIENCE);
    const listed = await system.graphql(host, LIST_SPACE, { input });
    expect(listed.data.listSpace.space.id).toEqual(expect.any(String));
    const customer = await provider.signIn('kim-by-openid', AUDIENCE);
    const refused = await system.graphql(customer, LIST_SPACE, { input });
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  test('a token for another API is refused', async () => {
    const token = await provider.signIn('kim-by-openid', AUDIENCE);
    // The provider gives every token the same audience, so a second router expects another one.
    const home = process.env.SYSTEM_EMBEDDED as string;
    const other = await startSecondRouter(home, 'oidc-other-router', {
      SPACERENT_PROFILE: 'servers',
      AUTH_JWKS_URL: `${provider.issuer}/jwks`,
      AUTH_ISSUER: provider.issuer,
      AUTH_AUDIENCE: 'https://other.example',
    });
    try {
      const { status, errors } = await new System('servers', home, other.graphqlUrl).graphql(
        token,
        MY_PAGE,
      );
      expect(status).toBe(401);
      expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    } finally {
      await other.stop();
    }
  });

  test('new tokens are accepted and old ones refused after a key rotation, without a restart', async () => {
    const old = await provider.signIn('kim-by-openid', AUDIENCE);
    expect((await system.graphql(old, MY_PAGE)).status).toBe(200);
    await provider.rotate();
    const fresh = await provider.signIn('kim-by-openid', AUDIENCE);
    await until('the new key is known', async () => {
      const { status } = await system.graphql(fresh, MY_PAGE);
      return status === 200;
    });
    await until('the old key is forgotten', async () => {
      const { status, errors } = await system.graphql(old, MY_PAGE);
      return status === 401 && errors?.[0]?.extensions.code === 'UNAUTHENTICATED';
    });
    expect((await system.graphql(fresh, MY_PAGE)).status).toBe(200);
  });

  test('no request fails while the provider shows a new key, signs with it, and hides the old one', async () => {
    const keyOf = (token: string) => String(decodeProtectedHeader(token).kid);
    const old = await provider.signIn('kim-by-openid', AUDIENCE);
    await until(
      'its key is known',
      async () => (await system.graphql(old, MY_PAGE)).status === 200,
    );
    let current = old;
    let isOver = false;
    const statuses: number[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push((await system.graphql(current, MY_PAGE)).status);
    });
    await provider.publish();
    const fetched = new RegExp(`"keys":\\["${keyOf(old)}","key-\\d+"\\]`);
    await until('both keys are known', async () => fetched.test(readFileSync(log, 'utf8')));
    await provider.sign();
    const fresh = await provider.signIn('kim-by-openid', AUDIENCE);
    expect(keyOf(fresh)).not.toBe(keyOf(old));
    for (const token of [old, fresh]) {
      expect((await system.graphql(token, MY_PAGE)).status).toBe(200);
    }
    current = fresh;
    await provider.withdraw();
    const withdrawnAt = performance.now();
    await until(
      'the old key is forgotten',
      async () => (await system.graphql(old, MY_PAGE)).status === 401,
    );
    // Two seconds for the keys and two for the checked token, as set above, and time for the requests.
    expect(performance.now() - withdrawnAt).toBeLessThan(6_000);
    isOver = true;
    await Promise.all(load);
    expect(statuses.length).toBeGreaterThan(20);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('a removed key expires from the cache even when no token with a new key arrives', async () => {
    const old = await provider.signIn('kim-by-openid', AUDIENCE);
    await until(
      'its key is known',
      async () => (await system.graphql(old, MY_PAGE)).status === 200,
    );
    await provider.rotate();
    await until(
      'the old key is forgotten',
      async () => (await system.graphql(old, MY_PAGE)).status === 401,
    );
  });

  test('tokens with unknown keys make the router fetch the keys at most once per cool-down', async () => {
    const [, payload, signature] = (await provider.signIn('kim-by-openid', AUDIENCE)).split('.');
    const before = await provider.keyRequests();
    const startedAt = performance.now();
    let sent = 0;
    await until(
      'three cool-downs have passed',
      async () => {
        const kids = Array.from({ length: 20 }, () => `kid-${++sent}`);
        const responses = await Promise.all(
          kids.map((kid) => {
            const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid })).toString('base64url');
            return system.graphql(`${header}.${payload}.${signature}`, MY_PAGE);
          }),
        );
        for (const { status } of responses) expect(status).toBe(401);
        return performance.now() - startedAt > 3_000;
      },
      20,
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    const requests = (await provider.keyRequests()) - before;
    expect(sent).toBeGreaterThan(20);
    expect(requests).toBeGreaterThan(0);
    expect(requests).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
  });
});
