import { SignJWT } from 'jose';
import { z } from 'zod';
import { knownRoles } from '#platform/auth/principal.ts';
import { userId } from './claims.ts';

export const DEVELOPMENT_ALGORITHM = 'HS256';
const LIFETIME = '12h';

/** The body of `POST /dev/token`. */
export const tokenRequest = z.object({
  user: userId,
  roles: z.array(z.enum(knownRoles)).default(['customer']),
});

/** Signs a token for development: the embedded profile issues one to every client that requests it. */
export function signDevelopmentToken(
  secret: string,
  { user, roles }: z.infer<typeof tokenRequest>,
): Promise<string> {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: DEVELOPMENT_ALGORITHM })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(LIFETIME)
    .sign(new TextEncoder().encode(secret));
}
