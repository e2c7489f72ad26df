import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { correlationId, withCorrelation } from '#platform/observability/correlation.ts';
import { inSpan, type SpanContext } from '#platform/tracing/tracing.ts';
import type { FormatError } from '../admission/refusals.ts';
import type { Executor } from '../executor/executor.ts';
import type { PreparedOperation } from '../executor/operations.ts';
import type { RouterContext } from '../executor/subgraph-client.ts';
import type { Watch } from './feeds.ts';
import { LiveOperation, type OperationSubscriber, type Versioned } from './live-operation.ts';
import { Payload } from './payload.ts';
import {
  operationKey,
  type SubscriptionRequest,
  type SubscriptionTarget,
} from './subscription-request.ts';

/** One subscriber's part in an operation that others may share. */
export interface JoinedOperation<Version extends Versioned, Watching extends Watch> {
  operation: LiveOperation<Version>;
  watch: Promise<Watching>;
  leave(): void;
}

/** Where the versions of a kind of target come from, and what subscribers of it receive. */
export interface LiveSource<
  Target extends SubscriptionTarget,
  Version extends Versioned,
  Watching extends Watch,
> {
  watch(
    target: Target,
    broadcast: (version: Version, isReset: boolean) => void,
  ): Promise<Watching> | Watching;
  /** The value of the root field. */
  toRootValue(version: Version, target: Target): object | null;
  toTopic(version: Version): string;
  /** The span that has written the version, where it is known. */
  findSpan?(version: Version): SpanContext | undefined;
}

export interface SharedOperations<
  Target extends SubscriptionTarget,
  Version extends Versioned,
  Watching extends Watch,
> {
  /** Joins the operation that others with the same key run, or starts it. */
  join(
    request: SubscriptionRequest,
    prepared: PreparedOperation,
    target: Target,
    subscriber: OperationSubscriber<Version>,
  ): JoinedOperation<Version, Watching>;
}

/** The operations that have subscribers, one for each key. */
export function sharedOperations<
  Target extends SubscriptionTarget,
  Version extends Versioned,
  Watching extends Watch,
>(deps: {
  executor: Executor<RouterContext>;
  source: LiveSource<Target, Version, Watching>;
  formatError: FormatError;
}): SharedOperations<Target, Version, Watching> {
  const { executor, source, formatError } = deps;
  type Running = Omit<JoinedOperation<Version, Watching>, 'leave'>;
  const running = new Map<string, Running>();

  function start(
    key: string,
    request: SubscriptionRequest,
    prepared: PreparedOperation,
    target: Target,
  ): Running {
    const operation = new LiveOperation<Version>(
      (version) =>
        withCorrelation(correlationId(), () =>
          inSpan(
            'live event',
            { parent: 'none', links: [source.findSpan?.(version)] },
            async () => {
              const rootValue = source.toRootValue(version, target);
              const { errors, ...rest } = await execute(request, prepared, rootValue);
              const result = { ...rest, ...(errors && { errors: errors.map(format) }) };
              return new Payload(result, source.toTopic(version));
            },
          ),
        ),
      source.toTopic,
    );
    const watch = startWatch(source, target, operation);
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

async function startWatch<
  Target extends SubscriptionTarget,
  Version extends Versioned,
  Watching extends Watch,
>(
  source: LiveSource<Target, Version, Watching>,
  target: Target,
  operation: LiveOperation<Version>,
): Promise<Watching> {
  return source.watch(target, operation.broadcast.bind(operation));
}
