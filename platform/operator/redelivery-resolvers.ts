import { type ContextName, contextNames } from '#contracts/topology.ts';
import { requirePrincipal } from '../auth/principal.ts';
import type { Queryable } from '../database/postgres.ts';
import { badInput } from '../graphql/errors.ts';
import type { SubgraphContext } from '../graphql/subgraph-server.ts';
import { firstIdAt } from '../messaging/archive.ts';
import { REDELIVERY_POSITION, redeliverPage } from '../messaging/redelivery.ts';
import type { Logger } from '../observability/logger.ts';

interface RedeliverArgs {
  consumer: string;
  since: Date;
  after?: string | null;
}

/**
 * How operators send the events since an instant again, to a consumer whose database was restored to it: the
 * field `redeliver<Context>Events`.
 */
export function redeliveryResolvers(
  title: 'Book' | 'Payment' | 'Space',
  publisher: ContextName,
  db: Queryable,
  logger: Pick<Logger, 'info'>,
) {
  return {
    Mutation: {
      async [`redeliver${title}Events`](
        _: unknown,
        { consumer, since, after = null }: RedeliverArgs,
        { principal }: SubgraphContext,
      ) {
        const { userId: by } = requirePrincipal(principal);
        if (!(contextNames as string[]).includes(consumer)) {
          throw badInput('consumer', `The consumer must be one of ${contextNames.join(', ')}.`);
        }
        if (after !== null && !REDELIVERY_POSITION.test(after)) {
          throw badInput('after', 'The position must be the `next` of an earlier page.');
        }
        const from = firstIdAt(since.getTime());
        const page = await redeliverPage(db, { publisher, consumer, from }, after);
        logger.info({ consumer, since, by, ...page }, 'events are redelivered');
        return page;
      },
    },
  };
}
