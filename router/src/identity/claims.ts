import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { knownRoles, type Principal } from '#platform/auth/principal.ts';

export const userId = z
  .string()
  .min(1, 'must name a user')
  .max(200)
  // Databases differ on whether trailing spaces distinguish two users.
  .regex(
    // Lone surrogates are all encoded alike in UTF-8: two users would become one.
    /^(?!\s)[^\p{Cc}\p{Cs}]*(?<!\s)$/u,
    'must be whole characters, none a control character, without outer spaces',
  );

/**
 * The principal that a token names. Roles are a list or a single one; roles of other systems that the same
 * provider serves are ignored. Throws when the token's subject is not a valid user id.
 */
export function toPrincipal(payload: JWTPayload, rolesClaim: string): Principal {
  const claimed = findClaim(payload, rolesClaim);
  const roles = Array.isArray(claimed) ? claimed : [claimed];
  return {
    userId: userId.parse(payload.sub),
    roles: knownRoles.filter((role) => roles.includes(role)),
  };
}

/** A claim by its name, which may hold dots (`https://example.com/roles`), else by its path. */
function findClaim(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null) return undefined;
  if (Object.hasOwn(claims, path)) return (claims as Record<string, unknown>)[path];
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0 || !Object.hasOwn(claims, first)) return undefined;
  return findClaim((claims as Record<string, unknown>)[first], rest.join('.'));
}
