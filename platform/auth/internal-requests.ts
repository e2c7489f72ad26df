import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { unauthenticated } from '../graphql/errors.ts';
import { knownRoles, type Principal } from './principal.ts';

/** A service that sends requests to others. */
export type ServiceName = ContextName | 'router';

/** A request between services: its sender, and the user for whom it is sent. */
export interface InternalRequest {
  service: ServiceName;
  /** The user of the router's request; null: an anonymous user, or no client request at all. */
  principal: Principal | null;
}

/** Makes the `Authorization` header of a request to the service `to`. */
export type SignRequest = (to: string, principal?: Principal | null) => Promise<string>;

const LIFETIME_SECONDS = 60;
/** Cache lifetime of a signed token, shorter than its own: a request that arrives late is still valid. */
const SIGNED_CACHE_MS = 30_000;
/** Tolerated difference between the clocks of two machines. */
const CLOCK_TOLERANCE_SECONDS = 10;
const CACHE_SIZE = 10_000;

const claims = z.object({
  iss: z.enum(['router', ...contextNames]),
  sub: z.string().optional(),
  roles: z.array(z.enum(knownRoles)).default([]),
  exp: z.number(),
});

/**
 * Signs requests to other services of the system: a JWT (HS256) that names the user and is valid for one
 * minute. The first key signs.
 */
export function internalRequestSigner(from: ServiceName, keys: readonly string[]): SignRequest {
  const [signingKey] = keys.map(toKey);
  if (!signingKey) throw new Error('there is no key to sign with');
  const signed = new LRUCache<string, Promise<string>>({ max: CACHE_SIZE, ttl: SIGNED_CACHE_MS });
  return (to, principal = null) => {
    const cacheKey = principal ? `${to} ${principal.roles.join()} ${principal.userId}` : to;
    const cached = signed.get(cacheKey);
    if (cached) return cached;
    const header = new SignJWT(principal ? { roles: principal.roles } : {})
      .setProtectedHeader({ alg: 'HS256', kid: signingKey.id })
      .setIssuer(from)
      .setAudience(to)
      .setSubject(principal?.userId ?? '')
      .setExpirationTime(`${LIFETIME_SECONDS}s`)
      .sign(signingKey.key)
      .then((token) => `Bearer ${token}`);
    signed.set(cacheKey, header);
    return header;
  };
}

/**
 * Checks requests to the service: signed with one of the keys, for this service, and not expired. Throws
 * UNAUTHENTICATED.
 */
export function internalRequestVerifier(to: string, keys: readonly string[]) {
  const accepted = new Map(keys.map(toKey).map(({ id, key }) => [id, key]));
  const checked = new LRUCache<string, { request: InternalRequest; expiresAt: number }>({
    max: CACHE_SIZE,
  });
  return async (authorization: string | undefined): Promise<InternalRequest> => {
    const cached = checked.get(authorization ?? '');
    if (cached && cached.expiresAt > Date.now()) return cached.request;
    const [, token = ''] = /^Bearer (\S+)$/.exec(authorization ?? '') ?? [];
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid = '' }) => {
          const key = accepted.get(kid);
          if (key) return key;
          throw new Error('signed with another key');
        },
        { algorithms: ['HS256'], audience: to, clockTolerance: CLOCK_TOLERANCE_SECONDS },
      );
      const { iss, sub, roles, exp } = claims.parse(payload);
      const request: InternalRequest = {
        service: iss,
        principal: sub ? { userId: sub, roles } : null,
      };
      checked.set(`Bearer ${token}`, { request, expiresAt: exp * 1_000 });
      return request;
    } catch {
      throw unauthenticated('Only services of this system may send requests here.');
    }
  };
}

/** A key, and the id by which a token's header (`kid`) refers to it. */
function toKey(secret: string): { id: string; key: Uint8Array } {
  const id = createHash('sha256').update(secret).digest('base64url').slice(0, 8);
  return { id, key: new TextEncoder().encode(secret) };
}
