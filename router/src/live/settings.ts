import type { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { setting } from '#platform/config/settings.ts';

/** How many WebSockets and subscriptions may be open at once. */
export const liveShape = grouped('limits', {
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
  SUBSCRIPTIONS_PER_USER: setting
    .integer(1, 1_000_000)
    .default(100)
    .describe(
      'Maximum open subscriptions of one user per router process; more fail with ' +
        '`TOO_MANY_SUBSCRIPTIONS`.',
    ),
  SUBSCRIPTIONS_PER_ADDRESS: setting
    .integer(1, 1_000_000)
    .default(1_000)
    .describe(
      'Maximum open subscriptions of clients without a token at one address or IPv6 /64 network per ' +
        'router process; more fail with `TOO_MANY_SUBSCRIPTIONS`.',
    ),
  SUBSCRIPTIONS_PER_PROCESS: setting
    .integer(1, 1_000_000)
    .default(20_000)
    .describe(
      'Maximum open subscriptions per router process, half of them of clients without a token; more fail ' +
        'with `TOO_MANY_SUBSCRIPTIONS`.',
    ),
});

export type LiveSettings = z.infer<z.ZodObject<typeof liveShape>>;
