import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import {
  metricsShape,
  notificationsShape,
  peersShape,
  processShape,
  profileOf,
  readConfig,
  setting,
} from '#platform/config/settings.ts';
import { edgeShape } from './http/settings.ts';
import { providerShape } from './identity/provider-settings.ts';

const shape = {
  ...processShape,
  ...metricsShape,
  ...peersShape,
  ...notificationsShape,
  ...edgeShape,
  ...grouped('bookings', {
    SUBGRAPH_TIMEOUT_MS: setting
      .integer(100, 120_000)
      .default(10_000)
      .describe('Timeout in milliseconds of a request from the router to a subgraph.'),
    ROUTER_EXECUTOR: z
      .enum(['own', 'stock'], { error: 'must be own or stock' })
      .default('own')
      .describe(
        "Executor of queries and mutations: `own`, the router's, or `stock`, the Apollo gateway's.",
      ),
  }),
  ...grouped('limits', {
    SUBSCRIPTIONS_PER_USER: setting
      .integer(1, 1_000_000)
      .default(100)
      .describe(
        'Maximum open subscriptions of one user per router process; more fail with ' +
          '`TOO_MANY_SUBSCRIPTIONS`.',
      ),
    SUBSCRIPTIONS_PER_PROCESS: setting
      .integer(1, 1_000_000)
      .default(20_000)
      .describe(
        'Maximum open subscriptions per router process; more fail with `TOO_MANY_SUBSCRIPTIONS`.',
      ),
  }),
};

/** Tokens of this system's own making, which it issues to every client. */
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
  // Who names a provider means that it alone says who is who: here anyone could.
  AUTH_JWKS_URL: z
    .undefined('belongs to the servers profile: here /dev/token gives out tokens')
    .optional(),
};

const serversShape = {
  SPACERENT_PROFILE: z
    .literal('servers', 'must be embedded or servers')
    .optional()
    .transform(() => 'servers' as const),
  ...providerShape,
  // Who has it set may believe that what is signed with it is still accepted.
  AUTH_SECRET: z
    .undefined(
      'belongs to the embedded profile: here the provider at AUTH_JWKS_URL signs; remove it',
    )
    .optional(),
};

/** What the router reads from its environment, by profile. */
export const routerShapes = {
  embedded: { ...shape, ...embeddedShape },
  servers: { ...shape, ...serversShape },
};

/** The router's settings; who signs customers' tokens depends on the profile. */
export function routerConfig(env: NodeJS.ProcessEnv) {
  return profileOf(env) === 'embedded'
    ? readConfig(routerShapes.embedded, env)
    : readConfig(routerShapes.servers, env);
}

export type RouterConfig = ReturnType<typeof routerConfig>;
