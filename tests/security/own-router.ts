import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedIdentity } from '../support/router-beside.mjs';
import type { System } from '../support/system.ts';

/** What a router beside the system needs to accept the tokens that its tests sign. */
export function identityOf({ profile, home }: System): Record<string, string> {
  if (profile === 'embedded') return embeddedIdentity(home);
  const { issuer, audience } = JSON.parse(
    readFileSync(join(home, 'identity-provider.json'), 'utf8'),
  );
  return { AUTH_JWKS_URL: `${issuer}/jwks`, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience };
}
