import type { Logger } from '../observability/logger.ts';
import { activeSpan, fail } from '../tracing/tracing.ts';
import type { ConsumerWatch } from './consumer-watch.ts';
import type { DeadLetters } from './dead-letters.ts';
import { inEventSpan } from './event-traces.ts';
import type { EventRecord } from './events.ts';
import { failureText } from './failure-text.ts';
import { failureKind } from './failures.ts';
import type { Inbox } from './inbox.ts';

/** Processes events at least once, and retries or parks those that fail. */
export interface EventProcessor {
  /**
   * Processes the events of a batch that are not in the inbox, all at the same time. Rejects when one
   * is to be retried.
   */
  processBatch(batch: readonly EventRecord[]): Promise<void>;
  /** Processes one event unless it is in the inbox. Every failure counts, and rejects. */
  reprocess(event: EventRecord): Promise<void>;
}

export function eventProcessor(deps: {
  /** The context, as the topology names it. */
  name: string;
  /** Calls the handler of an event. */
  handle: (event: EventRecord) => Promise<void>;
  inbox: Inbox;
  deadLetters: DeadLetters;
  /** Failed attempts after which an event is parked. */
  parkAfter: number;
  watch: ConsumerWatch;
  logger: Logger;
}): EventProcessor {
  const { name, inbox, deadLetters, parkAfter, watch, logger } = deps;

  async function handle(event: EventRecord): Promise<void> {
    await watch.measure(event, () => deps.handle(event));
    watch.processed(event);
  }

  /** Counts the failure. Is the event to be retried? */
  async function countFailure(event: EventRecord, error: unknown): Promise<boolean> {
    watch.failed(event, error);
    fail(activeSpan(), error);
    const state = await deadLetters.recordFailure(event, failureText(error), parkAfter);
    if (state === 'PARKED') {
      const fields = { event: event.type, eventId: event.id };
      logger.error(fields, 'event parked: an operator replays or discards it');
    }
    // Another process may have processed it at this very moment.
    if (state === 'FAILING') await deadLetters.deleteProcessed();
    return state === 'FAILING';
  }

  async function processOrPark(event: EventRecord): Promise<void> {
    try {
      await handle(event);
    } catch (error) {
      const kind = failureKind(error);
      // The job ends without an acknowledgement: the outbox redelivers the event, less and less often.
      if (kind === 'not-understood') return watch.notUnderstood(event, error);
      if (kind === 'transient') watch.deferred(event, error);
      if (kind === 'transient' || (await countFailure(event, error))) throw error;
    }
  }

  return {
    async processBatch(batch) {
      // The inbox contains what was processed, parked or discarded: a duplicate has no effect.
      const recorded = new Set(await inbox.findRecorded(batch.map(({ id }) => id)));
      const outcomes = await Promise.allSettled(
        batch
          .filter(({ id }) => !recorded.has(id))
          .map((event) => inEventSpan(name, event, () => processOrPark(event))),
      );
      const failure = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failure) throw failure.reason;
    },

    async reprocess(event) {
      if ((await inbox.findRecorded([event.id])).length > 0) return;
      try {
        await inEventSpan(name, event, () => handle(event));
      } catch (error) {
        // Transient failures too: the event was parked, and an operator has tried it.
        await countFailure(event, error);
        throw error;
      }
    },
  };
}
