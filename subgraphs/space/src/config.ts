import {
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
      ...peersShape,
      ...outboxShape,
      SPACE_DATABASE_URL: setting.postgresUrl,
    },
    env,
  );
}
