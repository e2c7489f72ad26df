import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedIdentity, startSecondRouter } from '../support/second-router.mjs';
import { System } from '../support/system.ts';

/** Starts a second router of the system, with these settings, for one test file. */
export async function startOwnRouter(
  system: System,
  name: string,
  settings: Record<string, string>,
): Promise<{ router: System; stop: () => Promise<void> }> {
  const { graphqlUrl, stop } = await startSecondRouter(system.home, name, {
    ...identitySettings(system),
    ...settings,
  });
  return { router: new System(system.profile, system.home, graphqlUrl), stop };
}

/** The settings with which a router accepts the tokens that the tests of the system sign. */
function identitySettings({ profile, home }: System): Record<string, string> {
  if (profile === 'embedded') return embeddedIdentity(home);
  const { issuer, audience } = JSON.parse(
    readFileSync(join(home, 'identity-provider.json'), 'utf8'),
  );
  return { AUTH_JWKS_URL: `${issuer}/jwks`, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience };
}
