import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { type ContextName, contextNames, topology } from '#contracts/topology.ts';
import { readSettingValues } from '#platform/config/setting-files.ts';
import { grouped } from '#platform/config/setting-groups.ts';
import { ConfigError, readConfig, setting } from '#platform/config/settings.ts';

export type DatabaseUrls = Record<ContextName, string>;

/** Where the data and the queue are: on the servers of the settings, or embedded. */
export type Profile =
  | { name: 'embedded' }
  | { name: 'servers'; databases: DatabaseUrls; redisUrl: string; provider: Provider };

/** The settings of the router for the identity provider that signs tokens. */
export type Provider = Record<(typeof providerNames)[number], string>;

export type Settings = {
  root: string;
  home: string;
  host: string;
  /** 0: any free port. */
  port: number;
  demo: boolean;
  killsHanging: boolean;
  /** The keys by which services authenticate each other; undefined: the key of the home. */
  internalTokenKeys: string | undefined;
  profile: Profile;
};

type DatabaseSetting = `${Uppercase<ContextName>}_DATABASE_URL`;

const databaseSetting = (name: ContextName) =>
  `${name.toUpperCase()}_DATABASE_URL` as DatabaseSetting;

const mariadbUrl = z
  .string()
  .regex(/^(mysql|mariadb):\/\//, 'must be a mysql:// or mariadb:// address');

const databaseShape = Object.fromEntries(
  contextNames.map((name) => {
    const url = topology[name].database === 'postgres' ? setting.postgresUrl : mariadbUrl;
    return [databaseSetting(name), url.optional()];
  }),
) as Record<DatabaseSetting, z.ZodOptional<z.ZodString>>;

/** The settings of `npm start`; those without a description are described by the services. */
export const startShape = {
  PORT: setting.integer(0, 65535).default(4000),
  // The embedded router issues tokens to everybody, so only this machine may reach it.
  HOST: z.string().default('127.0.0.1'),
  ...grouped('service', {
    SPACERENT_HOME: z
      .string()
      .default('.spacerent')
      .describe('Path of the data folder; a relative path starts at the project folder.'),
    SPACERENT_DEMO: z
      .enum(['on', 'off'], { error: 'must be on or off' })
      .default('on')
      .describe('`on` or `off`: creates demo spaces when the embedded profile has no space.'),
    SPACERENT_KILL_HANGING: z
      .enum(['on', 'off'], { error: 'must be on or off' })
      .default('on')
      .describe(
        '`on` or `off`: kills and restarts a service that has not responded for a minute; off while a debugger halts one.',
      ),
  }),
  ...databaseShape,
  REDIS_URL: setting.redisUrl.optional(),
  // The router validates these completely.
  AUTH_JWKS_URL: setting.httpUrl.optional(),
  AUTH_ISSUER: z.string().optional(),
  AUTH_AUDIENCE: z.string().optional(),
  INTERNAL_TOKEN_KEYS: z.string().optional(),
};

const serverNames = [...contextNames.map(databaseSetting), 'REDIS_URL'] as const;

const providerNames = ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE'] as const;
const externalNames = [...serverNames, ...providerNames];

/** Throws {@link ConfigError} with a sentence for every problem at once. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  // The profile of the services follows from the addresses.
  const own = { ...env, SPACERENT_PROFILE: undefined, SPACERENT_PROFILE_FILE: undefined };
  const problems = findServerProblems(own);
  const config = readConfigWith(problems, own);
  const root = projectRoot();
  return {
    root,
    home: resolve(root, config.SPACERENT_HOME),
    host: config.HOST,
    port: config.PORT,
    demo: config.SPACERENT_DEMO === 'on',
    killsHanging: config.SPACERENT_KILL_HANGING === 'on',
    internalTokenKeys: config.INTERNAL_TOKEN_KEYS,
    profile: toProfile(config),
  };
}

function readConfigWith(problems: string[], env: Record<string, string | undefined>) {
  let config: z.infer<z.ZodObject<typeof startShape>> | undefined;
  let others = 'The environment is not usable:';
  try {
    config = readConfig(startShape, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    others = error.message;
  }
  if (config && problems.length === 0) return config;
  throw new ConfigError([others, ...problems].join('\n  '));
}

/** The address of one server selects the servers profile, which needs all of them. */
function findServerProblems(env: Record<string, string | undefined>): string[] {
  const { given } = readSettingValues([...externalNames, 'AUTH_SECRET'], env);
  const missing = externalNames.filter((name) => !given[name]);
  if (missing.length === externalNames.length) return [];
  const problems: string[] = [];
  if (missing.length > 0) {
    problems.push(
      `The servers profile needs all of ${externalNames.join(', ')}; ` +
        `missing: ${missing.join(', ')}.`,
    );
  }
  if (given.AUTH_SECRET) {
    problems.push(
      'AUTH_SECRET belongs to the embedded profile: in the servers profile, the provider at AUTH_JWKS_URL signs ' +
        'tokens. Remove it.',
    );
  }
  return problems;
}

function toProfile(config: z.infer<z.ZodObject<typeof startShape>>): Profile {
  const { REDIS_URL, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE } = config;
  const databases = Object.fromEntries(
    contextNames.flatMap((name) => {
      const url = config[databaseSetting(name)];
      return url ? [[name, url]] : [];
    }),
  );
  const hasAllDatabases = Object.keys(databases).length === contextNames.length;
  if (!hasAllDatabases || !REDIS_URL || !AUTH_JWKS_URL || !AUTH_ISSUER || !AUTH_AUDIENCE) {
    return { name: 'embedded' };
  }
  const provider = { AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE };
  return { name: 'servers', databases: databases as DatabaseUrls, redisUrl: REDIS_URL, provider };
}

/** This file runs from supervisor/src and, compiled, from dist/supervisor/src. */
function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
