import { grouped } from '#platform/config/setting-groups.ts';
import { publishingContextShape, readConfig, setting } from '#platform/config/settings.ts';

/** What space reads from its environment. */
export const spaceShape = {
  ...publishingContextShape,
  ...grouped('connections', {
    SPACE_DATABASE_URL: setting.postgresUrl.meta({
      description:
        "`postgresql://` address of space's database; `npm start` without it starts the embedded PostgreSQL.",
      examples: ['postgresql://space:replace-me@localhost:5432/space'],
    }),
  }),
};

/** space's settings; throws ConfigError with a sentence for each that is missing or wrong. */
export function spaceConfig(env: NodeJS.ProcessEnv) {
  return readConfig(spaceShape, env);
}
