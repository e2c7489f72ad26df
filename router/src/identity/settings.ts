import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { type ProviderSettings, providerShape } from './provider-settings.ts';

/** The secret that signs development tokens, or the OpenID provider. */
export type IdentitySettings =
  | { SPACERENT_PROFILE: 'embedded'; AUTH_SECRET: string }
  | ({ SPACERENT_PROFILE: 'servers' } & ProviderSettings);

/** The router signs tokens itself, and issues one to every client that requests it. */
const embeddedShape = {
  SPACERENT_PROFILE: z.literal('embedded'),
  ...grouped('identity', {
    AUTH_SECRET: z
      .string()
      .min(32, 'must have at least 32 characters')
      .describe(
        'Key of at least 32 characters that signs development tokens (HS256); `npm start` creates it.',
      ),
  }),
  // Refused, because with it an operator would expect that only the provider issues tokens.
  AUTH_JWKS_URL: z
    .undefined('belongs to the servers profile: here /dev/token issues tokens')
    .optional(),
};

const serversShape = {
  SPACERENT_PROFILE: z
    .literal('servers', 'must be embedded or servers')
    .optional()
    .transform(() => 'servers' as const),
  ...providerShape,
  // Refused, because tokens that are signed with it are not accepted in this profile.
  AUTH_SECRET: z
    .undefined(
      'belongs to the embedded profile: here the provider at AUTH_JWKS_URL signs; remove it',
    )
    .optional(),
};

/** Whose tokens are accepted, by profile. */
export const identityShapes = { embedded: embeddedShape, servers: serversShape };
