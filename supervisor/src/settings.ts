import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, readConfig, setting } from '#platform/config.ts';

export type DatabaseUrls = { book: string; payment: string; space: string; mypage: string };

/** Where the data and the queue live: servers that the environment names, or our own. */
export type Profile =
  | { name: 'embedded' }
  | { name: 'servers'; databases: DatabaseUrls; redisUrl: string; authSecret: string };

export type Settings = {
  root: string;
  home: string;
  host: string;
  /** 0: take a free one. */
  port: number;
  demo: boolean;
  /** What services know each other by; undefined: keys of our own. */
  internalTokenKeys: string | undefined;
  profile: Profile;
};

const shape = {
  PORT: setting.integer(0, 65535).default(4000),
  // The router hands out tokens to anyone while embedded, so only this machine reaches it.
  HOST: z.string().default('127.0.0.1'),
  SPACERENT_HOME: z.string().optional(),
  SPACERENT_DEMO: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  BOOK_DATABASE_URL: setting.postgresUrl.optional(),
  PAYMENT_DATABASE_URL: setting.postgresUrl.optional(),
  SPACE_DATABASE_URL: setting.postgresUrl.optional(),
  MYPAGE_DATABASE_URL: z
    .string()
    .regex(/^(mysql|mariadb):\/\//, 'must be a mysql:// or mariadb:// address')
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// or rediss:// address')
    .optional(),
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  INTERNAL_TOKEN_KEYS: z.string().optional(),
};

const serverNames = [
  'BOOK_DATABASE_URL',
  'PAYMENT_DATABASE_URL',
  'SPACE_DATABASE_URL',
  'MYPAGE_DATABASE_URL',
  'REDIS_URL',
] as const;

/** Throws {@link ConfigError} with a sentence for every problem at once. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const missing = missingServers(env);
  const config = readConfigAnd(missing, env);
  const root = projectRoot();
  return {
    root,
    home: resolve(root, config.SPACERENT_HOME ?? '.spacerent'),
    host: config.HOST,
    port: config.PORT,
    demo: config.SPACERENT_DEMO === 'on',
    internalTokenKeys: config.INTERNAL_TOKEN_KEYS,
    profile: profileOf(config),
  };
}

function readConfigAnd(missing: string[], env: Record<string, string | undefined>) {
  const sentence =
    `The servers profile needs all of ${[...serverNames, 'AUTH_SECRET'].join(', ')}; ` +
    `missing: ${missing.join(', ')}.`;
  try {
    const config = readConfig(shape, env);
    if (missing.length > 0) throw new ConfigError(sentence);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError) || missing.length === 0 || error.message === sentence) {
      throw error;
    }
    throw new ConfigError(`${error.message}\n  ${sentence}`);
  }
}

/** One server's address asks for the servers profile, and that needs them all. */
function missingServers(env: Record<string, string | undefined>): string[] {
  if (serverNames.every((name) => !env[name])) return [];
  return [...serverNames, 'AUTH_SECRET'].filter((name) => !env[name]);
}

function profileOf(config: z.infer<z.ZodObject<typeof shape>>): Profile {
  const { BOOK_DATABASE_URL, PAYMENT_DATABASE_URL, SPACE_DATABASE_URL } = config;
  const { MYPAGE_DATABASE_URL, REDIS_URL, AUTH_SECRET } = config;
  if (
    !BOOK_DATABASE_URL ||
    !PAYMENT_DATABASE_URL ||
    !SPACE_DATABASE_URL ||
    !MYPAGE_DATABASE_URL ||
    !REDIS_URL ||
    !AUTH_SECRET
  ) {
    return { name: 'embedded' };
  }
  const databases = {
    book: BOOK_DATABASE_URL,
    payment: PAYMENT_DATABASE_URL,
    space: SPACE_DATABASE_URL,
    mypage: MYPAGE_DATABASE_URL,
  };
  return { name: 'servers', databases, redisUrl: REDIS_URL, authSecret: AUTH_SECRET };
}

/** This file runs from supervisor/src and, compiled, from dist/supervisor/src. */
function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
