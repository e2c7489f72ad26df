import { SignJWT } from 'jose';
import { z } from 'zod';
import { knownRoles } from '#platform/auth/viewer.ts';
import { userId } from './claims.ts';

export const DEVELOPMENT_ALGORITHM = 'HS256';
const LIFE = '12h';

/** What `POST /dev/token` takes. */
export const tokenRequest = z.object({
  user: userId,
  roles: z.array(z.enum(knownRoles)).default(['customer']),
});

/** A token for trying things out: the embedded profile gives one to whoever asks. */
export function signDevelopmentToken(
  secret: string,
  { user, roles }: z.infer<typeof tokenRequest>,
): Promise<string> {
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: DEVELOPMENT_ALGORITHM })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime(LIFE)
    .sign(new TextEncoder().encode(secret));
}
