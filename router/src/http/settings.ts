import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { setting } from '#platform/config/settings.ts';
import { trustedProxies } from './client-address.ts';
import { allowedOrigins } from './origins.ts';

const onOrOff = z.enum(['on', 'off'], { error: 'must be on or off' });

const origins = {
  TRUSTED_PROXIES: trustedProxies
    .default([])
    .describe(
      'Proxies whose `X-Forwarded-For` is accepted: addresses, networks, `loopback`, `linklocal` or ' +
        '`uniquelocal`, separated by commas.',
    ),
  TRUSTED_PROXIES_TRACE: onOrOff
    .default('off')
    .describe(
      '`on`: the proxies of `TRUSTED_PROXIES` write `traceparent` themselves, and their traces are continued; ' +
        'with `off` each request begins a trace, linked to the one that it names.',
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
  CONNECTIONS_PER_PROCESS: setting
    .integer(1, 1_000_000)
    .default(25_000)
    .describe(
      'Maximum TCP connections per router process, WebSockets and streams included; more are closed.',
    ),
};

/** What the public server accepts: proxies, origins, sizes, times. */
export const httpShape = grouped('limits', { ...origins, ...transportLimits });

export type HttpSettings = z.infer<z.ZodObject<typeof httpShape>>;

/** Whether clients may introspect the schema, and whether browsers get Apollo Sandbox. */
export function developerAccess(
  { INTROSPECTION, SANDBOX }: HttpSettings,
  isForDevelopers: boolean,
): { introspection: boolean; sandbox: boolean } {
  const byDefault = isForDevelopers ? 'on' : 'off';
  return {
    introspection: (INTROSPECTION ?? byDefault) === 'on',
    sandbox: (SANDBOX ?? byDefault) === 'on',
  };
}
