import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose';
import { internalRequestSigner, internalRequestVerifier } from '../auth/internal-requests.ts';
import type { Principal } from '../auth/principal.ts';

const KEY = 'a key of the system that is long enough';
const NEXT_KEY = 'the key that follows it, as long as that';
const kim: Principal = { userId: '김 kim', roles: ['customer', 'host'] };

const refused = { extensions: { code: 'UNAUTHENTICATED' } };
const accepts = internalRequestVerifier('book', [KEY]);

afterEach(() => {
  jest.useRealTimers();
});

describe('a request between services', () => {
  test('an internal request names the service that sends it and the principal', async () => {
    const authorize = internalRequestSigner('router', [KEY]);
    expect(await accepts(await authorize('book', kim))).toEqual({
      service: 'router',
      principal: kim,
    });
    expect(await accepts(await authorize('book'))).toEqual({ service: 'router', principal: null });
  });

  test('an internal request is accepted by one service alone', async () => {
    const header = await internalRequestSigner('router', [KEY])('payment', kim);
    await expect(accepts(header)).rejects.toMatchObject(refused);
  });

  test('an internal request never has another principal than the one it is signed for', async () => {
    const authorize = internalRequestSigner('router', [KEY]);
    const likeKim: Principal = { userId: 'book customer,host 김 kim', roles: [] };
    for (const principal of [kim, likeKim, { ...kim, roles: [] }, { ...kim, userId: 'lee' }]) {
      expect((await accepts(await authorize('book', principal))).principal).toEqual(principal);
    }
  });

  test('the token of an internal request is reused, and expires after a minute', async () => {
    jest.useFakeTimers({ advanceTimers: false, now: Date.now() });
    const authorize = internalRequestSigner('router', [KEY]);
    const first = await authorize('book', kim);
    const { exp = 0 } = decodeJwt(first.slice('Bearer '.length));
    expect(exp * 1_000 - Date.now()).toBeLessThanOrEqual(60_000);
    expect(await authorize('book', kim)).toBe(first);

    jest.setSystemTime(Date.now() + 75_000);
    await expect(accepts(first)).rejects.toMatchObject(refused);
    await expect(internalRequestVerifier('book', [KEY])(first)).rejects.toMatchObject(refused);
  });

  test('an internal request is refused by an unknown key, and accepted by either of two known keys', async () => {
    const old = await internalRequestSigner('router', [KEY])('book', kim);
    const rotated = await internalRequestSigner('router', [NEXT_KEY, KEY])('book', kim);
    await expect(accepts(rotated)).rejects.toMatchObject(refused);
    const acceptsBoth = internalRequestVerifier('book', [KEY, NEXT_KEY]);
    expect((await acceptsBoth(old)).principal).toEqual(kim);
    expect((await acceptsBoth(rotated)).principal).toEqual(kim);
    const acceptsNext = internalRequestVerifier('book', [NEXT_KEY]);
    expect((await acceptsNext(rotated)).principal).toEqual(kim);
    await expect(acceptsNext(old)).rejects.toMatchObject(refused);
  });

  test.each([
    ['nothing', undefined],
    ['no bearer token', `Basic ${btoa('router:secret')}`],
    ['an unsigned token', `Bearer ${unsigned()}`],
    ['a token without a known key id', async () => `Bearer ${await signed({ kid: 'other' })}`],
    ['a token of an unknown service', async () => `Bearer ${await signed({ iss: 'cat' })}`],
    ['a token that never expires', async () => `Bearer ${await signed({ exp: undefined })}`],
  ])('an internal request with %s is refused', async (_name, header) => {
    const text = typeof header === 'function' ? await header() : header;
    await expect(accepts(text)).rejects.toMatchObject(refused);
  });
});

function unsigned(): string {
  return new UnsecuredJWT({ roles: ['operator'] })
    .setIssuer('router')
    .setAudience('book')
    .setExpirationTime('1m')
    .encode();
}

/** A token of the router with the given claims changed. */
async function signed(given: { kid?: string; iss?: string; exp?: undefined }): Promise<string> {
  const [, token = ''] = (await internalRequestSigner('router', [KEY])('book', kim)).split(' ');
  const kid = JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()).kid;
  const jwt = new SignJWT({ ...decodeJwt(token), ...given });
  const key = new TextEncoder().encode(KEY);
  return jwt.setProtectedHeader({ alg: 'HS256', kid: given.kid ?? kid }).sign(key);
}
