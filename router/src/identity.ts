import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { unauthenticated } from '#platform/errors.ts';
import type { Viewer } from '#platform/viewer.ts';

const roles = z.array(z.enum(['customer', 'host', 'operator']));
const userId = z
  .string()
  .min(1, 'must name a user')
  .max(200)
  // Databases differ on whether a space at the end makes another user; here it makes none.
  .regex(/^(?!\s)\P{Cc}*(?<!\s)$/u, 'must not hold control characters or outer spaces');
const claims = z.object({
  sub: userId,
  roles: roles.default([]),
  /** In seconds: RFC 7519, section 4.1.4. */
  exp: z.number().optional(),
});

/** What `POST /dev/token` takes. */
export const tokenRequest = z.object({
  user: userId,
  roles: roles.default(['customer']),
});

const DEV_TOKEN_LIFE = '12h';

/** Who asks, and until when that is known. */
export interface Identified {
  viewer: Viewer;
  /** When the token expires; null: never. */
  expiresAt: Date | null;
}

/** Checks and, for development, signs bearer tokens (JWT, RFC 7519) with one shared secret. */
export function identity(secret: string) {
  const key = new TextEncoder().encode(secret);
  return {
    /**
     * Who sends this `Authorization` header; null without one. Throws UNAUTHENTICATED with HTTP
     * 401 when the header holds no valid bearer token.
     */
    async identify(authorization: string | undefined): Promise<Identified | null> {
      if (authorization === undefined) return null;
      const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(authorization) ?? [];
      if (!token) throw refused('The Authorization header must read: Bearer <token>.');
      try {
        const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'] });
        const { sub, roles, exp } = claims.parse(payload);
        const expiresAt = exp === undefined ? null : new Date(exp * 1_000);
        return { viewer: { userId: sub, roles }, expiresAt };
      } catch (error) {
        throw refused(
          error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.',
        );
      }
    },

    /** A token for trying things out. */
    signDevToken: ({ user, roles }: z.infer<typeof tokenRequest>): Promise<string> =>
      new SignJWT({ roles })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(user)
        .setIssuedAt()
        .setExpirationTime(DEV_TOKEN_LIFE)
        .sign(key),
  };
}

function refused(message: string) {
  const error = unauthenticated(message);
  error.extensions.http = { status: 401 };
  return error;
}
