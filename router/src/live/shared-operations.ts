import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { correlationId, withCorrelation } from '#platform/observability/correlation.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { Watch, Watcher } from './feeds.ts';
import { toHostBooking } from './host-booking.ts';
import { LiveOperation, type OperationSubscriber } from './live-operation.ts';
import { Payload } from './payload.ts';
import {
  operationKey,
  type SubscriptionRequest,
  type SubscriptionTarget,
} from './subscription-request.ts';
import type { WatchedViews } from './watched-views.ts';

/** One subscriber's part in an operation that others may share. */
export interface JoinedOperation {
  operation: LiveOperation;
  watch: Promise<Watch>;
  leave(): void;
}

export interface SharedOperations {
  /** Joins the operation that others with the same key run, or starts it. */
  join(
    request: SubscriptionRequest,
    prepared: PreparedOperation,
    target: SubscriptionTarget,
    subscriber: OperationSubscriber,
  ): JoinedOperation;
}

interface RunningOperation {
  operation: LiveOperation;
  watch: Promise<Watch>;
}

/** The operations that have subscribers, one for each key. */
export function sharedOperations(deps: {
  executor: Executor<RouterContext>;
  views: WatchedViews;
  formatError: FormatError;
}): SharedOperations {
  const { executor, views, formatError } = deps;
  const running = new Map<string, RunningOperation>();

  function start(
    key: string,
    request: SubscriptionRequest,
    prepared: PreparedOperation,
    target: SubscriptionTarget,
  ): RunningOperation {
    const operation = new LiveOperation((version) =>
      withCorrelation(correlationId(), async () => {
        const rootValue = target.kind === 'host' ? toHostBooking(version) : version;
        const { errors, ...rest } = await execute(request, prepared, rootValue);
        const result = { ...rest, ...(errors && { errors: errors.map(format) }) };
        return new Payload(result, version.bookingId);
      }),
    );
    const watch = startWatch(views, target, operation.broadcast.bind(operation));
    const started = { operation, watch };
    running.set(key, started);
    watch.catch(() => running.delete(key));
    return started;
  }

  async function execute(
    { variables, principal }: SubscriptionRequest,
    prepared: PreparedOperation,
    rootValue: object | null,
  ): Promise<ExecutionResult> {
    try {
      const context = { principal };
      return await executor.executeEvent(prepared, { rootValue, variables, context });
    } catch (error) {
      return { errors: [error as GraphQLError] };
    }
  }

  function format(error: GraphQLError): GraphQLFormattedError {
    const plain = error instanceof GraphQLError ? error : new GraphQLError(String(error));
    return formatError(plain.toJSON(), error);
  }

  return {
    join(request, prepared, target, subscriber) {
      const key = operationKey(request, prepared, target);
      const { operation, watch } = running.get(key) ?? start(key, request, prepared, target);
      operation.join(subscriber);
      return {
        operation,
        watch,
        leave() {
          operation.leave(subscriber);
          if (!operation.isEmpty || running.get(key)?.operation !== operation) return;
          running.delete(key);
          watch.then((watching) => watching.end()).catch(() => {});
        },
      };
    },
  };
}

async function startWatch(
  views: WatchedViews,
  target: SubscriptionTarget,
  broadcast: Watcher,
): Promise<Watch> {
  switch (target.kind) {
    case 'booking':
      return views.booking(target.bookingId, broadcast);
    case 'customer':
      return views.customer(target.customerId, broadcast);
    case 'host': {
      const { hostId, spaceId } = target;
      if (spaceId === null) return views.host(hostId, broadcast);
      return views.host(hostId, (version, isReset) => {
        if (version.host?.spaceId === spaceId) broadcast(version, isReset);
      });
    }
  }
}
