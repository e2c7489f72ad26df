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

/** Returns the keys of requests between services: the first signs, all are accepted. They may change. */
export type InternalKeys = () => readonly string[];

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
export function internalRequestSigner(
  from: ServiceName,
  keys: readonly string[] | InternalKeys,
): SignRequest {
  const signed = new LRUCache<string, Promise<string>>({ max: CACHE_SIZE, ttl: SIGNED_CACHE_MS });
  const currentKey = followed(keys, ([first]) => {
    if (first === undefined) throw new Error('there is no key to sign with');
    signed.clear();
    return toKey(first);
  });
  return (to, principal = null) => {
    const signingKey = currentKey();
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
export function internalRequestVerifier(to: string, keys: readonly string[] | InternalKeys) {
  const checked = new LRUCache<string, { request: InternalRequest; expiresAt: number }>({
    max: CACHE_SIZE,
  });
  const acceptedKeys = followed(keys, (current) => {
    // Tokens of a withdrawn key are refused from now on.
    checked.clear();
    return new Map(current.map(toKey).map(({ id, key }) => [id, key]));
  });
  return async (authorization: string | undefined): Promise<InternalRequest> => {
    const accepted = acceptedKeys();
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
      // The keys may have changed meanwhile.
      if (accepted === acceptedKeys()) {
        checked.set(`Bearer ${token}`, { request, expiresAt: exp * 1_000 });
      }
      return request;
    } catch {
      throw unauthenticated('Only services of this system may send requests here.');
    }
  };
}

/** Returns what `derive` makes of the keys, and calls it again only when they have changed. */
function followed<T>(
  keys: readonly string[] | InternalKeys,
  derive: (current: readonly string[]) => T,
): () => T {
  const read = typeof keys === 'function' ? keys : () => keys;
  let last = read();
  let derived = derive(last);
  return () => {
    const current = read();
    if (current !== last) {
      derived = derive(current);
      last = current;
    }
    return derived;
  };
}

/** A key, and the id by which a token's header (`kid`) refers to it. */
function toKey(secret: string): { id: string; key: Uint8Array } {
  return { id: toKeyId(secret), key: new TextEncoder().encode(secret) };
}

/** Reveals nothing of a random key. */
export function toKeyId(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url').slice(0, 8);
}
