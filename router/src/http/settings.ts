import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { setting } from '#platform/config/settings.ts';
import { trustedProxies } from './client-address.ts';
import { allowedOrigins } from './origins.ts';

const onOrOff = z.enum(['on', 'off'], { error: 'must be on or off' });

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

const rates = {
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

const origins = {
  TRUSTED_PROXIES: trustedProxies
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` is accepted: addresses, networks, `loopback`, `linklocal` or ' +
        '`uniquelocal`, separated by commas.',
    ),
  CORS_ORIGINS: allowedOrigins
    .default([])
    .describe(
      'Origins, separated by commas, whose pages may send requests and open WebSockets; `*` is refused.',
    ),
  INTROSPECTION: onOrOff
    .optional()
    .describe(
      '`on` or `off`: allows introspection of the schema; without it on in the embedded profile only.',
    ),
  SANDBOX: onOrOff
    .optional()
    .describe('`on` or `off`: serves Apollo Sandbox; without it on in the embedded profile only.'),
};

const transportLimits = {
  BODY_LIMIT_BYTES: setting
    .integer(1_024, 1_073_741_824)
    .default(131_072)
    .describe(
      'Maximum bytes of a request body or WebSocket message; a larger body fails with HTTP 413.',
    ),
  REQUEST_RECEIVE_TIMEOUT_MS: setting
    .integer(100, 3_600_000)
    .default(15_000)
    .describe('Timeout in milliseconds for receiving a request; after it HTTP 408.'),
  REQUEST_TIMEOUT_MS: setting
    .integer(100, 3_600_000)
    .default(30_000)
    .describe('Timeout in milliseconds for a response, except a stream; after it HTTP 503.'),
  WEBSOCKETS_PER_ADDRESS: setting
    .integer(1, 1_000_000)
    .default(1_000)
    .describe(
      'Maximum open WebSockets of one address or IPv6 /64 network per router process; more fail with ' +
        'HTTP 429.',
    ),
  WEBSOCKETS_PER_PROCESS: setting
    .integer(1, 1_000_000)
    .default(20_000)
    .describe('Maximum open WebSockets per router process; more fail with HTTP 503.'),
  CONNECTIONS_PER_PROCESS: setting
    .integer(1, 1_000_000)
    .default(25_000)
    .describe(
      'Maximum TCP connections per router process, WebSockets and streams included; more are closed.',
    ),
};

/** What the router accepts from outside, and how much of it. */
export const edgeShape = grouped('limits', {
  ...operationLimits,
  ...rates,
  ...origins,
  ...transportLimits,
});
