import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { VersionQuery, VersionResult } from '#contracts/mypage.ts';
import { type Principal, requirePrincipal } from '#platform/auth/principal.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { BookingWatch } from './feeds.ts';
import type { OperationSubscriber } from './live-operation.ts';
import type { Payload } from './payload.ts';
import { type JoinedOperation, sharedOperations } from './shared-operations.ts';
import { type SubscriptionLimits, subscriptionCounter } from './subscription-counter.ts';
import {
  readTarget,
  type SubscriptionRequest,
  type SubscriptionTarget,
} from './subscription-request.ts';
import { type ViewEnd, viewCompletion } from './view-completion.ts';
import type { WatchedViews } from './watched-views.ts';

/** A client's end of one subscription, in any protocol. */
export interface Sink {
  /** Sends payloads, in order; a slow client gets only the latest of each topic. */
  next(payloads: readonly Payload[]): void;
  /** Nothing follows; what was sent is delivered first. */
  complete(): void;
}

export interface Subscriptions {
  /**
   * Starts a subscription. Resolves with the function that ends it, once the present state is sent.
   * Rejects with a GraphQLError when the client may not, or cannot, subscribe.
   */
  open(request: SubscriptionRequest, sink: Sink): Promise<() => void>;
  readonly count: number;
}

/** A refund may keep failing: a final view is waited for at most this long to become complete. */
const COMPLETION_TIMEOUT_MS = 30_000;
/** Delay of the completion where an older mypage does not say whether a view is complete. */
const UNKNOWN_COMPLETION_DELAY_MS = 1_000;
/** A new booking appears in mypage a moment after `book` has confirmed it. */
const NEW_BOOKING_TIMEOUT_MS = 3_000;
const NEW_BOOKING_RETRY_MS = 150;

export function subscriptions(deps: {
  executor: Executor<RouterContext>;
  views: WatchedViews;
  limits: SubscriptionLimits;
  completionTimeoutMs?: number;
  formatError: FormatError;
}): Subscriptions {
  const { executor, views, formatError } = deps;
  const { completionTimeoutMs = COMPLETION_TIMEOUT_MS } = deps;
  const counter = subscriptionCounter(deps.limits);
  const operations = sharedOperations({ executor, views, formatError });

  return {
    get count() {
      return counter.count;
    },

    async open(request, sink) {
      const prepared = prepare(executor, request);
      const principal = requirePrincipal(request.principal);
      const { target, after } = readTarget(executor, prepared, request, principal);
      const release = counter.reserve(principal.userId);
      const completion = viewCompletion(completionTimeoutMs, () => {
        end();
        sink.complete();
      });
      const subscriber: OperationSubscriber = {
        deliver(deliveries) {
          sink.next(deliveries.map(({ payload }) => payload));
          const last = deliveries.at(-1);
          if (target.kind !== 'booking' || !last) return;
          completion.observe(last.version, UNKNOWN_COMPLETION_DELAY_MS);
        },
      };
      const joined = operations.join(request, prepared, target, subscriber);
      let isEnded = false;
      const end = () => {
        if (isEnded) return;
        isEnded = true;
        completion.cancel();
        joined.leave();
        release();
      };

      try {
        const read = (query: VersionQuery) => readView(views, query, principal);
        const view = await sendPresentState(joined, subscriber, { target, after, read });
        if (view) completion.observe(view, 0);
        return end;
      } catch (error) {
        end();
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

/**
 * Sends what the client of one booking does not have yet; those of customers and hosts are sent as they change.
 * Returns the view when nothing of it had to be sent, else null.
 */
async function sendPresentState(
  { operation, watch: watching }: JoinedOperation,
  subscriber: OperationSubscriber,
  source: {
    target: SubscriptionTarget;
    after: number | undefined;
    read: (query: VersionQuery) => Promise<VersionResult>;
  },
): Promise<ViewEnd | null> {
  const { target, after, read } = source;
  const watch = await watching.catch(() => {
    throw unavailable();
  });
  if (target.kind !== 'booking') {
    await operation.catchUp(subscriber, []);
    return null;
  }
  const view = await read({ bookingId: target.bookingId, ...(after !== undefined && { after }) });
  (watch as BookingWatch).startAt(view.version);
  const isUpToDate = view.versions.length === 0;
  await operation.catchUp(subscriber, view.versions, isUpToDate ? view.version : undefined);
  return isUpToDate ? view : null;
}

/** Reads a booking's view. A booking of another customer gives NOT_FOUND, as one that does not exist. */
async function readView(
  views: WatchedViews,
  query: VersionQuery,
  principal: Principal,
): Promise<VersionResult> {
  const deadline = performance.now() + NEW_BOOKING_TIMEOUT_MS;
  for (;;) {
    const view = await views.readVersions(query).catch(() => {
      throw unavailable();
    });
    if (view && mayWatch(principal, view)) return view;
    if (performance.now() > deadline) throw notFound();
    await pause(NEW_BOOKING_RETRY_MS);
  }
}

function mayWatch({ userId, roles }: Principal, { customerId }: VersionResult): boolean {
  return customerId === userId || roles.includes('operator');
}

function notFound(): GraphQLError {
  return new GraphQLError('There is no such booking.', { extensions: { code: 'NOT_FOUND' } });
}

function unavailable(): GraphQLError {
  return new GraphQLError('The mypage part of the system does not respond: try again.', {
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
}
