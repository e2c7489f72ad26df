import { z } from 'zod';
import { type ContextName, contextNames, topology } from '#contracts/topology.ts';
import { publicSecretProblems } from '../auth/secrets.ts';
import { isRedisSetting } from '../redis/redis-url.ts';
import { tracingShape } from '../tracing/tracing-settings.ts';
import { readSettingValues } from './setting-files.ts';
import { grouped } from './setting-groups.ts';
import { httpUrl, integer } from './setting-schemas.ts';

/** The environment is not usable; `message` names every problem at once. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Parses the environment by the given shape; keys are the variables' names, each of which can also
 * come from a file (`NAME_FILE`). Empty strings count as absent. Outside the embedded profile, secrets
 * that are publicly known are refused. Throws {@link ConfigError} with one sentence for every problem.
 */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Record<string, string | undefined>,
): z.infer<z.ZodObject<Shape>> {
  const { given, problems, wrong } = readSettingValues(Object.keys(shape), env);
  const parsed = z.object(shape).safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0]);
    if (wrong.has(name)) continue;
    problems.push(
      given[name] === undefined ? `${name} is not set.` : `${name} is wrong: ${issue.message}.`,
    );
  }
  if (readProfile(env) !== 'embedded') problems.push(...publicSecretProblems(given));
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigError(`The environment is not usable:\n  ${problems.join('\n  ')}`);
}

/** The setting that {@link readConfig} itself reads, in every service. */
export const profileShape = grouped('service', {
  SPACERENT_PROFILE: z
    .string()
    .default('servers')
    .describe(
      '`servers`, or `embedded`, which serves `/dev/token` and accepts known secrets; set by `npm start`.',
    ),
});

/** The profile of the environment, on which the meaning of other settings depends. */
export function readProfile(env: Record<string, string | undefined>): string {
  const { given } = readSettingValues(Object.keys(profileShape), env);
  return profileShape.SPACERENT_PROFILE.parse(given.SPACERENT_PROFILE);
}

/** A `/`, `#` or `?` in a password ends the host too early. Text without a scheme has another problem. */
export const isDatabaseUrl = (text: string) => !text.includes('://') || URL.canParse(text);
export const NO_DATABASE_URL =
  'must be a valid address, with special characters of its password encoded (%2F for a slash)';

/** Building blocks for the services' shapes. */
export const setting = {
  integer,
  httpUrl,
  postgresUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// address')
    .refine(isDatabaseUrl, NO_DATABASE_URL),
  redisUrl: z
    .string()
    .refine(
      isRedisSetting,
      'must be a redis:// or rediss:// address, or those of nodes of one cluster, separated by commas',
    ),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be one of fatal, error, warn, info, debug, trace, silent',
    })
    .default('info'),
};

const key = z.string().min(32, 'must hold keys of at least 32 characters');

/** The address and the log level of every service, and how it stops. */
export const serviceShape = grouped('service', {
  HOST: z.string().default('0.0.0.0').describe('IP address on which the service listens.'),
  PORT: integer(0, 65535)
    .default(4000)
    .describe('TCP port of the service, 0 for any free one; `npm start` uses it for the router.'),
  LOG_LEVEL: setting.logLevel.describe(
    'Minimum level of the JSON log lines: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
  ),
  DRAIN_SECONDS: integer(0, 300)
    .default(5)
    .describe(
      'Seconds after SIGTERM in which the service responds, but is not ready; `npm start` sets 0.',
    ),
});

/** The settings of every service: address, log level, traces, and the keys of internal requests. */
export const processShape = {
  ...serviceShape,
  ...tracingShape,
  ...grouped('identity', {
    INTERNAL_TOKEN_KEYS: z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(key).max(2, 'must be one key, or two with a comma between'))
      .meta({
        description:
          'One or two keys of at least 32 characters, separated by a comma, for requests between ' +
          'services; the first signs, both are accepted. `npm start` creates one.',
        examples: ['replace-me'],
      }),
  }),
};

/** The settings of a service with metrics. */
export const metricsShape = grouped('identity', {
  METRICS_TOKEN: z
    .string()
    .min(16, 'must have at least 16 characters')
    .optional()
    .describe(
      'Bearer token of at least 16 characters for `GET /metrics`; clients without it get HTTP 401.',
    ),
});

/** The queue and the notifications: on Redis where there is one, else on PostgreSQL. */
export const notificationsShape = grouped('connections', {
  REDIS_URL: setting.redisUrl.optional().meta({
    description:
      '`redis://` or `rediss://` address of the server for the event queue, notifications and ' +
      'request counts, or of a node of a Redis Cluster, which is detected; several nodes of one cluster ' +
      'are separated by commas. Required unless `QUEUE_DATABASE_URL` is set.',
    examples: ['redis://:replace-me@localhost:6379'],
  }),
  QUEUE_DATABASE_URL: setting.postgresUrl.optional().meta({
    description:
      '`postgresql://` address of the database for the event queue and notifications; ignored when ' +
      '`REDIS_URL` is set.',
    examples: ['postgresql://queue:replace-me@localhost:5432/queue'],
  }),
});

/** The settings of a context that publishes or consumes events. */
export const queueShape = {
  ...notificationsShape,
  ...grouped('bookings', {
    PARK_AFTER_FAILURES: integer(1, 1_000)
      .default(10)
      .describe(
        'Failed attempts after which an event is a dead letter; failures of the infrastructure and ' +
          'events of a newer release do not count.',
      ),
  }),
};

/** The settings of a service with its own database. */
export const migrationsShape = grouped('bookings', {
  ALLOW_INCOMPATIBLE_MIGRATIONS: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((name) => name.trim()))
    .transform((names) => names.filter((name) => name !== ''))
    .describe(
      'Migrations, separated by commas, to apply although the previous release cannot run with them.',
    ),
});

/** The settings of a context that publishes events. */
export const outboxShape = grouped('bookings', {
  OUTBOX_KEEP_HOURS: integer(0, 1_000_000)
    .default(168)
    .describe('Hours for which acknowledged events stay in the outbox before they are archived.'),
});

const peer = (name: ContextName) =>
  httpUrl.meta({
    description: `\`http://\` or \`https://\` address of the ${name} service; \`npm start\` sets it.`,
    examples: [`http://${name}:${topology[name].port}`],
  });

type PeerSettings<Value> = { [Name in ContextName as `${Uppercase<Name>}_URL`]: Value };

/** The addresses of all contexts. */
export const peersShape = grouped(
  'connections',
  Object.fromEntries(
    contextNames.map((name) => [`${name.toUpperCase()}_URL`, peer(name)]),
  ) as PeerSettings<ReturnType<typeof peer>>,
);

/** The contexts' addresses by name, from the settings of {@link peersShape}. */
export function peerUrls(config: PeerSettings<string>): Record<ContextName, string> {
  const settings: Record<string, string> = config;
  return Object.fromEntries(
    contextNames.map((name) => [name, settings[`${name.toUpperCase()}_URL`]]),
  ) as Record<ContextName, string>;
}

/** What every context reads. */
export const contextShape = {
  ...processShape,
  ...queueShape,
  ...metricsShape,
  ...migrationsShape,
};

export type ContextConfig = z.infer<z.ZodObject<typeof contextShape>>;

/** What a context that publishes events, and consumes those of the others, reads. */
export const publishingContextShape = {
  ...contextShape,
  ...peersShape,
  ...outboxShape,
};

export type PublishingContextConfig = z.infer<z.ZodObject<typeof publishingContextShape>>;
