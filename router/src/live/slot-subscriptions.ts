import { GraphQLError } from 'graphql';
import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { FreeSlotsState } from './calendar-feed.ts';
import type { OperationSubscriber } from './live-operation.ts';
import { sharedOperations } from './shared-operations.ts';
import type { Sink } from './sink.ts';
import type { SlotsTarget, SubscriptionRequest } from './subscription-request.ts';
import type { WatchedCalendars } from './watched-calendars.ts';

/** Opens subscriptions of free slots: the present state, then every other one. */
export function slotSubscriptions(deps: {
  executor: Executor<RouterContext>;
  calendars: WatchedCalendars;
  formatError: FormatError;
}) {
  const { executor, calendars, formatError } = deps;
  const operations = sharedOperations({
    executor,
    formatError,
    source: {
      watch: ({ range }: SlotsTarget, broadcast: (state: FreeSlotsState, isReset: false) => void) =>
        calendars.watch(range, (state) => broadcast(state, false)),
      toRootValue: ({ freeSlots }: FreeSlotsState) => freeSlots,
      toTopic: ({ freeSlots }: FreeSlotsState) => freeSlots.spaceId,
    },
  });

  /** Resolves with the function that ends the subscription, once the present state is sent. */
  return async (
    request: SubscriptionRequest,
    prepared: PreparedOperation,
    target: SlotsTarget,
    sink: Sink,
  ): Promise<() => void> => {
    const subscriber: OperationSubscriber<FreeSlotsState> = {
      deliver: (deliveries) => sink.next(deliveries.map(({ payload }) => payload)),
    };
    // Free slots are the same for all: without a principal, all clients of a range share one execution.
    const shared = { ...request, principal: null };
    const { operation, watch, leave } = operations.join(shared, prepared, target, subscriber);
    try {
      const state = await (await watch).present().catch(() => {
        throw unavailable();
      });
      if (!state) throw notFound();
      await operation.catchUp(subscriber, [state]);
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  };
}

function notFound(): GraphQLError {
  return new GraphQLError('There is no such space.', { extensions: { code: 'NOT_FOUND' } });
}

function unavailable(): GraphQLError {
  return new GraphQLError('The book part of the system does not respond: try again.', {
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
}
