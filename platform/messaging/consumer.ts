import type { EventContract } from '#contracts/event-contract.ts';
import { withCorrelation } from '../observability/correlation.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { watchConsumer } from './consumer-watch.ts';
import type { DeadLetters } from './dead-letters.ts';
import { readPayload } from './event-payload.ts';
import { type EventRecord, queueName } from './events.ts';
import { failureText } from './failure-text.ts';
import { failureKind, NotUnderstood } from './failures.ts';
import type { Inbox } from './inbox.ts';
import type { Transport } from './queue.ts';

/** What a consumer is given: the event's facts, parsed, and the id that its inbox records. */
export interface ReceivedEvent<Payload> {
  id: string;
  type: string;
  /** The version of the aggregate that the event made. */
  version: number;
  occurredAt: Date;
  payload: Payload;
}

type Contracts = Record<string, EventContract>;
type PayloadOf<Contract> = Contract extends EventContract<infer Payload> ? Payload : never;

/** A handler for each type of event that the consumer takes. */
export type Handlers<C extends Contracts> = {
  [Type in keyof C]?: (event: ReceivedEvent<PayloadOf<C[Type]>>) => Promise<void>;
};

type AnyHandler = (event: ReceivedEvent<unknown>) => Promise<void>;

/** One context as a taker of the others' events. */
export interface Consumer {
  /**
   * Receives one context's events. Each topic has a queue of the consumer's own; the payload is
   * upcast and parsed by its contract before a handler sees it. Transient trouble is retried and not
   * counted; what is not understood is left to be redelivered; an event that fails otherwise is parked
   * in the end, and the others go on.
   */
  take<C extends Contracts>(
    contracts: C,
    handlers: Handlers<C>,
    options: { concurrency: number },
  ): Promise<void>;
  /** The types of events that have a handler. */
  types(): string[];
  /** Gives one event to its handler again, unless it is held; rejects when that fails once more. */
  retake(event: EventRecord): Promise<void>;
}

/** The consumer of a context; it holds an event once `inbox` says so. */
export function openConsumer(deps: {
  /** The context, as the topology names it. */
  name: string;
  transport: Transport;
  inbox: Inbox;
  deadLetters: DeadLetters;
  /** After so many failed attempts an event is parked. */
  parkAfter: number;
  metrics: Metrics;
  logger: Logger;
}): Consumer {
  const { name, transport, inbox, deadLetters, parkAfter, logger } = deps;
  const known = new Map<string, { contract: EventContract; handler: AnyHandler }>();
  const watch = watchConsumer(deps);

  async function handle(event: EventRecord): Promise<void> {
    const route = known.get(event.type);
    if (!route) throw new NotUnderstood(`${name} does not know ${event.type}`);
    await route.handler({
      id: event.id,
      type: event.type,
      version: event.version,
      occurredAt: new Date(event.occurredAt),
      payload: readPayload(route.contract, event),
    });
    watch.processed(event);
  }

  /** Counts the failure. Is the event to be retried? */
  async function countFailure(event: EventRecord, error: unknown): Promise<boolean> {
    watch.failed(event, error);
    const state = await deadLetters.noteFailure(event, failureText(error), parkAfter);
    if (state === 'PARKED') {
      const facts = { event: event.type, eventId: event.id };
      logger.error(facts, 'event parked: an operator replays or discards it');
    }
    // Another process may have processed it at this very moment.
    if (state === 'FAILING') await deadLetters.forgetProcessed();
    return state === 'FAILING';
  }

  async function handleOrPark(event: EventRecord): Promise<void> {
    try {
      await handle(event);
    } catch (error) {
      const kind = failureKind(error);
      // The job ends, and nothing is acknowledged: the outbox redelivers it, ever more slowly.
      if (kind === 'not-understood') return watch.notUnderstood(event, error);
      if (kind === 'transient') watch.deferred(event, error);
      if (kind === 'transient' || (await countFailure(event, error))) throw error;
    }
  }

  async function receive(batch: readonly EventRecord[]): Promise<void> {
    // Processed before, or parked, or discarded: a duplicate of it has no effect.
    const held = new Set(await inbox.held(batch.map(({ id }) => id)));
    const outcomes = await Promise.allSettled(
      batch
        .filter(({ id }) => !held.has(id))
        .map((event) => withCorrelation(event.correlationId, () => handleOrPark(event))),
    );
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  return {
    async take(contracts, handlers, { concurrency }) {
      // Earlier releases left them; none of it is worth not starting.
      await deadLetters.forgetProcessed().catch((err) => logger.warn({ err }, 'old failures stay'));
      for (const [type, handler] of Object.entries(handlers)) {
        known.set(type, {
          contract: contracts[type] as EventContract,
          handler: handler as AnyHandler,
        });
      }
      const topics = new Set(
        Object.keys(handlers).map((type) => (contracts[type] as EventContract).topic),
      );
      for (const topic of topics) {
        await transport.receive(queueName(topic, name), concurrency, receive);
      }
    },
    types: () => [...known.keys()],
    async retake(event) {
      if ((await inbox.held([event.id])).length > 0) return;
      try {
        await withCorrelation(event.correlationId, () => handle(event));
      } catch (error) {
        // Of whatever kind: it was parked before, and an operator tried it.
        await countFailure(event, error);
        throw error;
      }
    },
  };
}
