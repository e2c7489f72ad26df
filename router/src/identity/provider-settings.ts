import { z } from 'zod';
import { setting } from '#platform/config.ts';

/** Signatures by a private key, whose public half proves nothing but who has signed. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The OpenID provider whose tokens are accepted. */
export const providerShape = {
  /** Where the provider shows its public keys. Whoever can change them on the way can be anyone. */
  AUTH_JWKS_URL: z
    .url({ protocol: /^https?$/, error: 'must be an https:// address' })
    .transform((url) => new URL(url))
    .refine(
      ({ protocol, hostname }) => protocol === 'https:' || LOOPBACK.test(hostname),
      'must be an https:// address; http:// is for this machine alone',
    ),
  /** What its tokens say in `iss`, to the letter. */
  AUTH_ISSUER: z.string(),
  /** What they say in `aud` when they are meant for this API. */
  AUTH_AUDIENCE: z.string(),
  AUTH_ALGORITHMS: z
    .string()
    .default('RS256,PS256,ES256,EdDSA')
    .transform((list) => list.split(',').map((each) => each.trim()))
    .refine(
      (list) => list.every((each) => ALGORITHMS.includes(each)),
      `must be a list of these, with commas between: ${ALGORITHMS.join(', ')}`,
    ),
  /** Where a token holds its user's roles: a claim, or the path to one, as `realm_access.roles`. */
  AUTH_ROLES_CLAIM: z.string().default('roles'),
  /** For how long the provider's keys count as known before they are asked for again. */
  AUTH_KEYS_MAX_AGE_SECONDS: setting.integer(1, 86_400).default(300),
  /** How long lies, at least, between two questions that tokens with an unknown key bring about. */
  AUTH_KEYS_COOLDOWN_SECONDS: setting.integer(1, 3_600).default(30),
};
