import {
  metricsShape,
  migrationsShape,
  outboxShape,
  peersShape,
  processShape,
  queueShape,
  readConfig,
  setting,
} from '#platform/config.ts';

export function spaceConfig(env: NodeJS.ProcessEnv) {
  return readConfig(
    {
      ...processShape,
      ...queueShape,
      ...metricsShape,
      ...migrationsShape,
      ...peersShape,
      ...outboxShape,
      SPACE_DATABASE_URL: setting.postgresUrl,
    },
    env,
  );
}
