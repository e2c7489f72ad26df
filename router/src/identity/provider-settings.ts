import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { setting } from '#platform/config/settings.ts';

/** Asymmetric algorithms only: the public key that verifies a signature cannot make one. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The OpenID provider whose tokens are accepted. */
export const providerShape = grouped('identity', {
  // Without TLS an attacker on the network could replace the keys, and sign any token.
  AUTH_JWKS_URL: z
    .url({ protocol: /^https?$/, error: 'must be an https:// address' })
    .transform((url) => new URL(url))
    .refine(
      ({ protocol, hostname }) => protocol === 'https:' || LOOPBACK.test(hostname),
      'must be an https:// address; http:// is for this machine alone',
    )
    .describe(
      "`https://` address of the OpenID provider's public keys (`jwks_uri`); `http://` is accepted " +
        'for this machine only.',
    ),
  AUTH_ISSUER: z
    .string()
    .describe("Exact value of the claim `iss` in the OpenID provider's tokens."),
  AUTH_AUDIENCE: z
    .string()
    .describe('Value of the claim `aud` in tokens that are issued for this API.'),
  AUTH_ALGORITHMS: z
    .string()
    .default('RS256,PS256,ES256,EdDSA')
    .transform((list) => list.split(',').map((each) => each.trim()))
    .refine(
      (list) => list.every((each) => ALGORITHMS.includes(each)),
      `must be a list of these, with commas between: ${ALGORITHMS.join(', ')}`,
    )
    .describe(
      'Accepted signature algorithms, separated by commas; only asymmetric ones are possible.',
    ),
  AUTH_ROLES_CLAIM: z
    .string()
    .default('roles')
    .describe(
      'Claim that holds the roles, or the path to it (`realm_access.roles`); unknown roles are ignored.',
    ),
  AUTH_KEYS_MAX_AGE_SECONDS: setting
    .integer(1, 86_400)
    .default(300)
    .describe(
      "Seconds for which the provider's keys stay in the cache before they are fetched again.",
    ),
  AUTH_KEYS_COOLDOWN_SECONDS: setting
    .integer(1, 3_600)
    .default(30)
    .describe('Minimum seconds between two fetches of keys that tokens with an unknown key cause.'),
});

export type ProviderSettings = z.infer<z.ZodObject<typeof providerShape>>;
