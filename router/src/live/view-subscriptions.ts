import { setTimeout as pause } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { VersionQuery, VersionResult, ViewVersion } from '#contracts/mypage.ts';
import { type Principal, requirePrincipal } from '#platform/auth/principal.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import { bookingVisibility, type IsBookingVisible } from './booking-visibility.ts';
import type { BookingWatch, Watch } from './feeds.ts';
import type { OperationSubscriber } from './live-operation.ts';
import { type JoinedOperation, sharedOperations } from './shared-operations.ts';
import type { Sink } from './sink.ts';
import type { SubscriptionRequest, ViewTarget } from './subscription-request.ts';
import { type ViewEnd, viewCompletion } from './view-completion.ts';
import { viewVersions } from './view-versions.ts';
import type { WatchedViews } from './watched-views.ts';

/** A refund may keep failing: a final view is waited for at most this long to become complete. */
const COMPLETION_TIMEOUT_MS = 30_000;
/** Delay of the completion where an older mypage does not say whether a view is complete. */
const UNKNOWN_COMPLETION_DELAY_MS = 1_000;
/** Mypage gets a new booking from the events of book: at once, or late when it is restarted or overloaded. */
const NEW_BOOKING_TIMEOUT_MS = 30_000;
const MIN_RETRY_DELAY_MS = 100;
const MAX_RETRY_DELAY_MS = 1_000;

/** Opens subscriptions of mypage's views: of one booking, a customer's bookings or a host's. */
export function viewSubscriptions(deps: {
  executor: Executor<RouterContext>;
  views: WatchedViews;
  completionTimeoutMs?: number | undefined;
  newBookingTimeoutMs?: number | undefined;
  formatError: FormatError;
}) {
  const { executor, views, formatError } = deps;
  const { completionTimeoutMs = COMPLETION_TIMEOUT_MS } = deps;
  const { newBookingTimeoutMs = NEW_BOOKING_TIMEOUT_MS } = deps;
  const reader = { views, isVisible: bookingVisibility(executor), newBookingTimeoutMs };
  const operations = sharedOperations({ executor, source: viewVersions(views), formatError });

  /** Resolves with the function that ends the subscription, once what the client lacks is sent. */
  return async (
    request: SubscriptionRequest,
    prepared: PreparedOperation,
    { target, after }: { target: ViewTarget; after: number | undefined },
    sink: Sink,
  ): Promise<() => void> => {
    const principal = requirePrincipal(request.principal);
    const completion = viewCompletion(completionTimeoutMs, () => {
      end();
      sink.complete();
    });
    const subscriber: OperationSubscriber<ViewVersion> = {
      deliver(deliveries) {
        sink.next(deliveries.map(({ payload }) => payload));
        const last = deliveries.at(-1);
        if (target.kind !== 'booking' || !last) return;
        completion.observe(last.version, UNKNOWN_COMPLETION_DELAY_MS);
      },
    };
    const joined = operations.join(request, prepared, target, subscriber);
    const end = () => {
      completion.cancel();
      joined.leave();
    };

    try {
      const read = (query: VersionQuery) => readView(reader, query, principal);
      const view = await sendPresentState(joined, subscriber, { target, after, read });
      if (view) completion.observe(view, 0);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  };
}

/**
 * Sends what the client of one booking does not have yet; those of customers and hosts are sent as they change.
 * Returns the view when nothing of it had to be sent, else null.
 */
async function sendPresentState(
  { operation, watch: watching }: JoinedOperation<ViewVersion, Watch>,
  subscriber: OperationSubscriber<ViewVersion>,
  source: {
    target: ViewTarget;
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

/**
 * Reads a booking's view, which may appear a moment after book has confirmed the booking. A booking of another
 * customer gives NOT_FOUND, after the same requests as one that does not exist.
 */
async function readView(
  reader: { views: WatchedViews; isVisible: IsBookingVisible; newBookingTimeoutMs: number },
  query: VersionQuery,
  principal: Principal,
): Promise<VersionResult> {
  const read = () =>
    reader.views.readVersions(query).catch(() => {
      throw unavailable();
    });
  let view = await read();
  if (view && mayWatch(principal, view)) return view;
  const isVisible = await reader.isVisible(query.bookingId, principal);
  if (view || isVisible === false) throw notFound();

  const deadline = performance.now() + reader.newBookingTimeoutMs;
  let delayMs = MIN_RETRY_DELAY_MS;
  while (!view) {
    if (performance.now() > deadline) throw notYet();
    await pause(delayMs);
    delayMs = Math.min(delayMs * 1.5, MAX_RETRY_DELAY_MS);
    view = await read();
  }
  if (!mayWatch(principal, view)) throw notFound();
  return view;
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

function notYet(): GraphQLError {
  return new GraphQLError('The status of the booking is not known yet: try again.', {
    extensions: { code: 'SERVICE_UNAVAILABLE' },
  });
}
