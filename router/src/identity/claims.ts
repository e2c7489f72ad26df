import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { knownRoles, type Viewer } from '#platform/auth/viewer.ts';

export const userId = z
  .string()
  .min(1, 'must name a user')
  .max(200)
  // Databases differ on whether a space at the end makes another user; here it makes none.
  .regex(
    // Halves of surrogate pairs are all the same in UTF-8: two users would become one.
    /^(?!\s)[^\p{Cc}\p{Cs}]*(?<!\s)$/u,
    'must be whole characters, none a control character, without outer spaces',
  );

/**
 * Whom a token speaks of. Roles are a list or a single one; those of other systems, which the same
 * provider may serve, are left out. Throws when the token names no user that can be one here.
 */
export function viewerOf(payload: JWTPayload, rolesClaim: string): Viewer {
  const claimed = claimAt(payload, rolesClaim);
  const roles = Array.isArray(claimed) ? claimed : [claimed];
  return {
    userId: userId.parse(payload.sub),
    roles: knownRoles.filter((role) => roles.includes(role)),
  };
}

/** A claim by its name, which may hold dots (`https://example.com/roles`), else by its path. */
function claimAt(claims: unknown, path: string): unknown {
  if (typeof claims !== 'object' || claims === null) return undefined;
  if (Object.hasOwn(claims, path)) return (claims as Record<string, unknown>)[path];
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0 || !Object.hasOwn(claims, first)) return undefined;
  return claimAt((claims as Record<string, unknown>)[first], rest.join('.'));
}
