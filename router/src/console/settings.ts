import {
  metricsShape,
  notificationsShape,
  readConfig,
  readProfile,
  serviceShape,
} from '#platform/config/settings.ts';
import { identityShapes } from '../identity/settings.ts';

const shape = { ...serviceShape, ...metricsShape, ...notificationsShape };

/** The settings that the console reads from its environment, by profile. */
export const consoleShapes = {
  embedded: { ...shape, ...identityShapes.embedded },
  servers: { ...shape, ...identityShapes.servers },
};

/** The console's settings; the profile decides who signs the tokens of operators. */
export function consoleConfig(env: NodeJS.ProcessEnv) {
  return readProfile(env) === 'embedded'
    ? readConfig(consoleShapes.embedded, env)
    : readConfig(consoleShapes.servers, env);
}
