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
import { identityShapes } from './identity/settings.ts';
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

/** The settings that the router reads from its environment, by profile. */
export const routerShapes = {
  embedded: { ...shape, ...identityShapes.embedded },
  servers: { ...shape, ...identityShapes.servers },
};

/** The router's settings; the profile decides who signs the tokens of clients. */
export function routerConfig(env: NodeJS.ProcessEnv) {
  return readProfile(env) === 'embedded'
    ? readConfig(routerShapes.embedded, env)
    : readConfig(routerShapes.servers, env);
}

export type RouterConfig = ReturnType<typeof routerConfig>;
