import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { unauthenticated } from '../graphql/errors.ts';
import { knownRoles, type Viewer } from './viewer.ts';

/** Who calls inside the system. */
export type ServiceName = ContextName | 'router';

/** A call inside the system: from whom, and for which client. */
export interface Caller {
  service: ServiceName;
  /** Whom the router asks for; null: nobody who is signed in, or no client at all. */
  viewer: Viewer | null;
}

/** Makes the `Authorization` header of a call. */
export type Authorize = (to: string, viewer?: Viewer | null) => Promise<string>;

const LIFE_SECONDS = 60;
/** A cached token is used for so long: what arrives late is still valid then. */
const REUSED_FOR_MS = 30_000;
/** How far the clocks of two machines may differ. */
const LEEWAY_SECONDS = 10;
const REMEMBERED = 10_000;

const claims = z.object({
  iss: z.enum(['router', ...contextNames]),
  sub: z.string().optional(),
  roles: z.array(z.enum(knownRoles)).default([]),
  exp: z.number(),
});

/**
 * Signs calls to other services of the system, for whom they are made and for one minute (JWT, HS256).
 * The first key signs.
 */
export function internalAuthorization(from: ServiceName, keys: readonly string[]): Authorize {
  const [secret] = keys.map(keyOf);
  if (!secret) throw new Error('there is no key to sign with');
  const signed = new LRUCache<string, Promise<string>>({ max: REMEMBERED, ttl: REUSED_FOR_MS });
  return (to, viewer = null) => {
    const cacheKey = viewer ? `${to} ${viewer.roles.join()} ${viewer.userId}` : to;
    const known = signed.get(cacheKey);
    if (known) return known;
    const header = new SignJWT(viewer ? { roles: viewer.roles } : {})
      .setProtectedHeader({ alg: 'HS256', kid: secret.id })
      .setIssuer(from)
      .setAudience(to)
      .setSubject(viewer?.userId ?? '')
      .setExpirationTime(`${LIFE_SECONDS}s`)
      .sign(secret.key)
      .then((token) => `Bearer ${token}`);
    signed.set(cacheKey, header);
    return header;
  };
}

/**
 * Checks calls to the service: signed with one of the keys, for this service, and not expired. Throws
 * UNAUTHENTICATED.
 */
export function internalAuthentication(to: string, keys: readonly string[]) {
  const accepted = new Map(keys.map(keyOf).map(({ id, key }) => [id, key]));
  const known = new LRUCache<string, { caller: Caller; expiresAt: number }>({ max: REMEMBERED });
  return async (authorization: string | undefined): Promise<Caller> => {
    const seen = known.get(authorization ?? '');
    if (seen && seen.expiresAt > Date.now()) return seen.caller;
    const [, token = ''] = /^Bearer (\S+)$/.exec(authorization ?? '') ?? [];
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid = '' }) => {
          const key = accepted.get(kid);
          if (key) return key;
          throw new Error('signed with another key');
        },
        { algorithms: ['HS256'], audience: to, clockTolerance: LEEWAY_SECONDS },
      );
      const { iss, sub, roles, exp } = claims.parse(payload);
      const caller: Caller = { service: iss, viewer: sub ? { userId: sub, roles } : null };
      known.set(`Bearer ${token}`, { caller, expiresAt: exp * 1_000 });
      return caller;
    } catch {
      throw unauthenticated('Only services of this system are answered here.');
    }
  };
}

/** A key, and the name by which a token tells which one signed it. */
function keyOf(secret: string): { id: string; key: Uint8Array } {
  const id = createHash('sha256').update(secret).digest('base64url').slice(0, 8);
  return { id, key: new TextEncoder().encode(secret) };
}
