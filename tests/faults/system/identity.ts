import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { projectFile } from '#platform/config/project.ts';
import type * as IdentityProvider from '../../support/identity-provider.mjs';
import type { Profile } from './profile.ts';

/** The settings of services that verify tokens, and the function that signs them. */
export interface Identity {
  settings: Record<string, string>;
  tokenFor(user: string, role: string): Promise<string>;
}

/** Signs tokens as the router of the embedded profile accepts them, with its secret. */
export async function embeddedTokens(secret: string): Promise<Identity['tokenFor']> {
  const { signEmbeddedToken } = await importProvider();
  return (user, role) => signEmbeddedToken(secret, user, [role], '12h');
}

/** On the servers profile starts an OpenID provider, whose keys the router fetches. */
export async function startIdentity(
  profile: Profile,
  onStop: (step: () => Promise<void>) => void,
): Promise<Identity> {
  if (profile === 'embedded') {
    const secret = randomBytes(32).toString('base64url');
    return { settings: { AUTH_SECRET: secret }, tokenFor: await embeddedTokens(secret) };
  }
  const { signToken, startIdentityProvider } = await importProvider();
  const { settings, credentials, stop } = await startIdentityProvider();
  onStop(async () => void (await stop()));
  return { settings, tokenFor: (user, role) => signToken(credentials, user, [role], '12h') };
}

/** The module is not part of the build: it is imported from the sources. */
function importProvider(): Promise<typeof IdentityProvider> {
  return import(pathToFileURL(projectFile('tests/support/identity-provider.mjs')).href);
}
