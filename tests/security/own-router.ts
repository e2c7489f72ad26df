import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedIdentity, startRouterBeside } from '../support/second-router.mjs';
import { System } from '../support/system.ts';

/** A router of the test's own beside the system's, with these settings, and what stops it. */
export async function startOwnRouter(
  system: System,
  name: string,
  settings: Record<string, string>,
): Promise<{ router: System; stop: () => Promise<void> }> {
  const { graphqlUrl, stop } = await startRouterBeside(system.home, name, {
    ...identityOf(system),
    ...settings,
  });
  return { router: new System(system.profile, system.home, graphqlUrl), stop };
}

/** What a router beside the system needs to accept the tokens that its tests sign. */
function identityOf({ profile, home }: System): Record<string, string> {
  if (profile === 'embedded') return embeddedIdentity(home);
  const { issuer, audience } = JSON.parse(
    readFileSync(join(home, 'identity-provider.json'), 'utf8'),
  );
  return { AUTH_JWKS_URL: `${issuer}/jwks`, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience };
}
