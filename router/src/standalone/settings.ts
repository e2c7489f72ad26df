import type { z } from 'zod';
import {
  metricsShape,
  notificationsShape,
  readConfig,
  serviceShape,
} from '#platform/config/settings.ts';
import { tracingShape } from '#platform/tracing/tracing-settings.ts';
import { admissionShape } from '../admission/settings.ts';
import { executorShape } from '../executor/settings.ts';
import { httpShape } from '../http/settings.ts';
import { type ProviderSettings, providerShape } from '../identity/provider-settings.ts';

/**
 * The router's settings where they mean something without spacerent. The supergraph of others says nothing
 * about the sizes of lists, so that no cost can be estimated: there is no limit of it, and none of rates,
 * unless they are set.
 */
const shape = {
  ...metricsShape,
  REDIS_URL: notificationsShape.REDIS_URL,
  ...httpShape,
  ...executorShape,
  ...admissionShape,
  MAX_OPERATION_COST: admissionShape.MAX_OPERATION_COST.removeDefault().default(1_000_000_000),
  MUTATIONS_PER_MINUTE_PER_USER:
    admissionShape.MUTATIONS_PER_MINUTE_PER_USER.removeDefault().default(0),
  MUTATIONS_PER_MINUTE_PER_ADDRESS:
    admissionShape.MUTATIONS_PER_MINUTE_PER_ADDRESS.removeDefault().default(0),
  QUERY_COST_PER_MINUTE_PER_USER:
    admissionShape.QUERY_COST_PER_MINUTE_PER_USER.removeDefault().default(0),
  QUERY_COST_PER_MINUTE_PER_ADDRESS:
    admissionShape.QUERY_COST_PER_MINUTE_PER_ADDRESS.removeDefault().default(0),
  ...tracingShape,
  ...serviceShape,
  HOST: serviceShape.HOST.removeDefault().default('127.0.0.1'),
  LOG_LEVEL: serviceShape.LOG_LEVEL.removeDefault().default('warn'),
  DRAIN_SECONDS: serviceShape.DRAIN_SECONDS.removeDefault().default(0),
};

export type StandaloneSettings = z.infer<z.ZodObject<typeof shape>> & {
  /** The provider whose tokens are accepted; null: the subgraphs read `Authorization` themselves. */
  provider: ProviderSettings | null;
};

/** Reads the environment; throws ConfigError with a sentence for each problem. */
export function readStandaloneSettings(env: NodeJS.ProcessEnv): StandaloneSettings {
  // The servers profile, whatever `npm start` has set: identity comes from a provider or is not checked.
  const servers = { ...env, SPACERENT_PROFILE: undefined, SPACERENT_PROFILE_FILE: undefined };
  const hasProvider = Object.keys(providerShape).some((name) => env[name] || env[`${name}_FILE`]);
  if (!hasProvider) return { ...readConfig(shape, servers), provider: null };
  const config = readConfig({ ...shape, ...providerShape }, servers);
  return { ...config, provider: config };
}
