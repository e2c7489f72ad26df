import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { Sink } from './sink.ts';
import { slotSubscriptions } from './slot-subscriptions.ts';
import { type SubscriptionLimits, subscriptionCounter } from './subscription-counter.ts';
import { readTarget, type SubscriptionRequest } from './subscription-request.ts';
import { viewSubscriptions } from './view-subscriptions.ts';
import type { WatchedCalendars } from './watched-calendars.ts';
import type { WatchedViews } from './watched-views.ts';

export interface Subscriptions {
  /**
   * Starts a subscription. Resolves with the function that ends it, once the present state is sent.
   * Rejects with a GraphQLError when the client may not, or cannot, subscribe.
   */
  open(request: SubscriptionRequest, sink: Sink): Promise<() => void>;
  readonly count: number;
}

export function subscriptions(deps: {
  executor: Executor<RouterContext>;
  views: WatchedViews;
  calendars: WatchedCalendars;
  limits: SubscriptionLimits;
  completionTimeoutMs?: number;
  newBookingTimeoutMs?: number;
  formatError: FormatError;
}): Subscriptions {
  const { executor } = deps;
  const counter = subscriptionCounter(deps.limits);
  const openView = viewSubscriptions(deps);
  const openSlots = slotSubscriptions(deps);

  return {
    get count() {
      return counter.count;
    },

    async open(request, sink) {
      const prepared = prepare(executor, request);
      const { target, after } = readTarget(executor, prepared, request);
      const release = counter.reserve(request);
      const counted: Sink = {
        next: (payloads) => sink.next(payloads),
        complete() {
          release();
          sink.complete();
        },
      };
      try {
        const end =
          target.kind === 'slots'
            ? await openSlots(request, prepared, target, counted)
            : await openView(request, prepared, { target, after }, counted);
        return () => {
          end();
          release();
        };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

function prepare(
  executor: Executor<RouterContext>,
  { document, operationName, text, variables }: SubscriptionRequest,
): PreparedOperation {
  const prepared = executor.prepare(document, operationName, text);
  if ('errors' in prepared) throw prepared.errors[0];
  const [wrong] = executor.checkVariables(prepared, variables);
  if (wrong) throw Object.assign(wrong, { extensions: { code: 'BAD_USER_INPUT' } });
  return prepared;
}
