import { z } from 'zod';
import { knownSecretProblems } from './secrets.ts';
import { givenSettings } from './setting-files.ts';

/** The environment does not say what the service needs; `message` names every problem at once. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Parses the environment by the given shape; keys are the variables' names, each of which can also
 * come from a file (`NAME_FILE`). Empty strings count as absent. Outside the embedded profile, secrets
 * that everybody knows are refused. Throws {@link ConfigError} with one sentence for every problem.
 */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Record<string, string | undefined>,
): z.infer<z.ZodObject<Shape>> {
  const { given, problems, wrong } = givenSettings(Object.keys(shape), env);
  const parsed = z.object(shape).safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (wrong.has(name)) continue;
    problems.push(
      given[name] === undefined ? `${name} is not set.` : `${name} is wrong: ${issue.message}.`,
    );
  }
  if (profileOf(env) !== 'embedded') problems.push(...knownSecretProblems(given));
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigError(`The environment is not usable:\n  ${problems.join('\n  ')}`);
}

/** What `SPACERENT_PROFILE` says, which decides on the meaning of other settings. */
export function profileOf(env: Record<string, string | undefined>): string | undefined {
  return givenSettings(['SPACERENT_PROFILE'], env).given.SPACERENT_PROFILE;
}

const integer = (smallest: number, largest: number) =>
  z.coerce
    .number(`must be a whole number from ${smallest} to ${largest}`)
    .int(`must be a whole number from ${smallest} to ${largest}`)
    .min(smallest, `must be at least ${smallest}`)
    .max(largest, `must be at most ${largest}`);

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' });

/** Building blocks for the services' shapes. */
export const setting = {
  integer,
  httpUrl,
  postgresUrl: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// address'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info'),
};

const key = z.string().min(32, 'must hold keys of at least 32 characters');

/** What every service reads: where it listens, how much it says, and how it knows its siblings. */
export const processShape = {
  HOST: z.string().default('0.0.0.0'),
  PORT: integer(0, 65535).default(4000),
  LOG_LEVEL: setting.logLevel,
  /** How long the service serves on, and says that it is not ready, before it stops. */
  DRAIN_SECONDS: integer(0, 300).default(5),
  /** The first one signs calls to sibling services; each of the two is accepted. */
  INTERNAL_TOKEN_KEYS: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(key).max(2, 'must be one key, or two with a comma between')),
};

/** What a service that counts reads. */
export const metricsShape = {
  /** With this bearer token anyone may read the service's metrics; without it only its siblings. */
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
};

/** The queue and the notices: on Redis where there is one, else on PostgreSQL. */
export const noticesShape = {
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// or rediss:// address')
    .optional(),
  QUEUE_DATABASE_URL: setting.postgresUrl.optional(),
};

/** What a context that sends or takes events reads. */
export const queueShape = {
  ...noticesShape,
  /** After so many failed attempts to take it an event is parked as a dead letter. */
  PARK_AFTER_FAILURES: integer(1, 1_000).default(10),
};

/** What a service with a database of its own reads. */
export const migrationsShape = {
  /** Names of migrations that are applied although the previous release cannot live with them. */
  ALLOW_INCOMPATIBLE_MIGRATIONS: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((name) => name.trim()))
    .transform((names) => names.filter((name) => name !== '')),
};

/** What a context that tells events reads. */
export const outboxShape = {
  /** How long acknowledged events stay in the outbox before they are archived. */
  OUTBOX_KEEP_HOURS: integer(0, 1_000_000).default(168),
};

/** Where the sibling contexts answer. */
export const peersShape = {
  BOOK_URL: httpUrl,
  PAYMENT_URL: httpUrl,
  SPACE_URL: httpUrl,
  MYPAGE_URL: httpUrl,
};
