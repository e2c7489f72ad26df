import { z } from 'zod';
import { grouped } from '#platform/config/setting-groups.ts';
import { setting } from '#platform/config/settings.ts';

/** How operations are executed against the subgraphs. */
export const executorShape = grouped('bookings', {
  SUBGRAPH_TIMEOUT_MS: setting
    .integer(100, 120_000)
    .default(10_000)
    .describe('Timeout in milliseconds of a request from the router to a subgraph.'),
  ROUTER_EXECUTOR: z
    .enum(['own', 'stock'], { error: 'must be own or stock' })
    .default('own')
    .describe(
      "Executor of queries and mutations: `own`, the router's, or `stock`, the Apollo gateway's.",
    ),
});
