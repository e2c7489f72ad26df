import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import {
  metricsShape,
  notificationsShape,
  peersShape,
  processShape,
  readConfig,
  readProfile,
} from '#platform/config/settings.ts';
import { admissionShape } from './admission/settings.ts';
import { executorShape } from './executor/settings.ts';
import { httpShape } from './http/settings.ts';
import { providerShape } from './identity/provider-settings.ts';
import { liveShape } from './live/settings.ts';

const shape = {
  ...processShape,
  ...metricsShape,
  ...peersShape,
  ...notificationsShape,
  ...admissionShape,
  ...httpShape,
  ...executorShape,
  ...liveShape,
};

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

/** The settings that the router reads from its environment, by profile. */
export const routerShapes = {
  embedded: { ...shape, ...embeddedShape },
  servers: { ...shape, ...serversShape },
};

/** The router's settings; the profile decides who signs the tokens of clients. */
export function routerConfig(env: NodeJS.ProcessEnv) {
  return readProfile(env) === 'embedded'
    ? readConfig(routerShapes.embedded, env)
    : readConfig(routerShapes.servers, env);
}

export type RouterConfig = ReturnType<typeof routerConfig>;
