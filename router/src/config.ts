import { z } from 'zod';
import {
  metricsShape,
  noticesShape,
  peersShape,
  processShape,
  profileOf,
  readConfig,
  setting,
} from '#platform/config.ts';
import { edgeShape } from './edge-settings.ts';
import { providerShape } from './identity/provider-settings.ts';

const shape = {
  ...processShape,
  ...metricsShape,
  ...peersShape,
  ...noticesShape,
  ...edgeShape,
  /** How long the router waits for a subgraph. */
  SUBGRAPH_TIMEOUT_MS: setting.integer(100, 120_000).default(10_000),
  /** Who executes queries and mutations: the router's own executor or the stock gateway's. */
  ROUTER_EXECUTOR: z.enum(['own', 'stock'], { error: 'must be own or stock' }).default('own'),
  /** How many subscriptions one user, and all together on this process, may have open. */
  SUBSCRIPTIONS_PER_USER: setting.integer(1, 1_000_000).default(100),
  SUBSCRIPTIONS_PER_PROCESS: setting.integer(1, 1_000_000).default(20_000),
};

/** Tokens of this system's own making, which it hands out to whoever asks. */
const embeddedShape = {
  SPACERENT_PROFILE: z.literal('embedded'),
  /** The key that signs and checks customers' tokens (HS256). */
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters'),
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

/** The router's settings; who signs customers' tokens depends on the profile. */
export function routerConfig(env: NodeJS.ProcessEnv) {
  return profileOf(env) === 'embedded'
    ? readConfig({ ...shape, ...embeddedShape }, env)
    : readConfig({ ...shape, ...serversShape }, env);
}

export type RouterConfig = ReturnType<typeof routerConfig>;
