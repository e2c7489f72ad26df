import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { setting } from '#platform/config/settings.ts';

const operationLimits = {
  MAX_OPERATION_DEPTH: setting
    .integer(1, 1_000)
    .default(15)
    .describe('Maximum levels of fields in an operation; more fail with `OPERATION_TOO_DEEP`.'),
  MAX_OPERATION_ALIASES: setting
    .integer(0, 1_000_000)
    .default(30)
    .describe(
      'Maximum aliases and repeated fields in an operation, counted at each fragment spread; more ' +
        'fail with `TOO_MANY_ALIASES`.',
    ),
  MAX_OPERATION_DIRECTIVES: setting
    .integer(0, 1_000_000)
    .default(30)
    .describe(
      'Maximum directives in an operation, counted at each fragment spread; more fail with ' +
        '`TOO_MANY_DIRECTIVES`.',
    ),
  MAX_ROOT_FIELDS: setting
    .integer(1, 1_000_000)
    .default(10)
    .describe('Maximum root fields of an operation; more fail with `TOO_MANY_ROOT_FIELDS`.'),
  MAX_OPERATION_SELECTIONS: setting
    .integer(1, 1_000_000)
    .default(1_000)
    .describe(
      'Maximum fields, fragments and spreads in an operation, counted at each fragment spread; more ' +
        'fail with `TOO_MANY_SELECTIONS`.',
    ),
  MAX_OPERATION_TOKENS: setting
    .integer(1, 1_000_000)
    .default(2_000)
    .describe('Maximum tokens in a document; more fail with `TOO_MANY_TOKENS`.'),
  MAX_OPERATION_COST: setting
    .integer(1, 1_000_000_000)
    .default(10_000)
    .describe(
      'Maximum objects in a response, estimated by `@cost` and `@listSize`; more fail with ' +
        '`OPERATION_TOO_COSTLY`.',
    ),
  OPERATIONS_MANIFEST: z
    .string()
    .optional()
    .describe(
      'Path of a manifest by `@apollo/generate-persisted-query-manifest`, whose operations are then ' +
        'the only ones executed; others fail with `OPERATION_NOT_REGISTERED`.',
    ),
};

const rateLimits = {
  MUTATIONS_PER_MINUTE_PER_USER: setting
    .integer(0, 1_000_000_000)
    .default(120)
    .describe(
      'Maximum mutations per minute of a signed-in user, 0 for no limit; more fail with ' +
        '`RATE_LIMITED` (HTTP 429).',
    ),
  MUTATIONS_PER_MINUTE_PER_ADDRESS: setting
    .integer(0, 1_000_000_000)
    .default(1_200)
    .describe(
      'Maximum mutations per minute from one address or IPv6 /64 network, 0 for no limit; more fail ' +
        'with `RATE_LIMITED` (HTTP 429).',
    ),
  QUERY_COST_PER_MINUTE_PER_USER: setting
    .integer(0, 1_000_000_000)
    .default(600_000)
    .describe(
      'Maximum cost per minute of the queries and started subscriptions of a signed-in user, at ' +
        'least 10 for each, 0 for no limit; more fail with `RATE_LIMITED` (HTTP 429).',
    ),
  QUERY_COST_PER_MINUTE_PER_ADDRESS: setting
    .integer(0, 1_000_000_000)
    .default(300_000)
    .describe(
      'Maximum cost per minute of all clients at one address that are not signed in, 0 for no limit; ' +
        'more fail with `RATE_LIMITED` (HTTP 429).',
    ),
};

/** How large an operation may be, and how much a client may execute in a minute. */
export const admissionShape = grouped('limits', { ...operationLimits, ...rateLimits });

export type AdmissionSettings = z.infer<z.ZodObject<typeof admissionShape>>;
