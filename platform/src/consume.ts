import { Counter, Gauge } from 'prom-client';
import { withCorrelation } from './correlation.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type ContextName, type EventContract, type EventRecord, queueName } from './events.ts';
import type { Inbox } from './inbox.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
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
   * parsed by its contract before a handler sees it. A handler that throws is tried again, and
   * parked in the end; the events beside it go on.
   */
  take<C extends Contracts>(
    contracts: C,
    handlers: Handlers<C>,
    options: { concurrency: number },
  ): Promise<void>;
  /** Gives one event to its handler again, unless it is held; rejects when that fails once more. */
  retake(event: EventRecord): Promise<void>;
}

/** The consumer of a context; it holds an event once `inbox` says so. */
export function openConsumer(deps: {
  name: ContextName;
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
  /** Failed here before: so that a success clears what was noted, and no other event pays for it. */
  const failing = new Set<string>();
  const taken = new Counter({
    name: 'spacerent_events_taken_total',
    help: 'Events that took effect',
    labelNames: ['type'],
    registers: [deps.metrics],
  });
  const failed = new Counter({
    name: 'spacerent_event_failures_total',
    help: 'Attempts to take an event that failed',
    labelNames: ['type'],
    registers: [deps.metrics],
  });
  new Gauge({
    name: 'spacerent_dead_letters',
    help: 'Parked events, which wait for an operator',
    registers: [deps.metrics],
    async collect() {
      this.set(await deadLetters.count('PARKED'));
    },
  });

  async function handle(event: EventRecord): Promise<void> {
    const route = known.get(event.type);
    if (!route) throw new Error(`${name} does not know ${event.type}`);
    await route.handler({
      id: event.id,
      type: event.type,
      version: event.version,
      occurredAt: new Date(event.occurredAt),
      payload: route.contract.payload.parse(event.payload),
    });
    taken.inc({ type: event.type });
    if (failing.delete(event.id)) await deadLetters.forget(event.id);
  }

  /** Notes the failure. Is the event to be tried again, or is it parked now? */
  async function noteFailure(event: EventRecord, error: unknown): Promise<'again' | 'parked'> {
    const facts = { event: event.type, eventId: event.id };
    logger.error({ ...facts, err: error }, 'event failed');
    failed.inc({ type: event.type });
    failing.add(event.id);
    const state = await deadLetters.noteFailure(event, textOf(error), parkAfter);
    if (state === 'FAILING') return 'again';
    logger.error(facts, 'event parked: an operator replays or discards it');
    failing.delete(event.id);
    return 'parked';
  }

  async function handleOrPark(event: EventRecord): Promise<void> {
    try {
      await handle(event);
    } catch (error) {
      if ((await noteFailure(event, error)) === 'again') throw error;
    }
  }

  async function receive(parcel: readonly EventRecord[]): Promise<void> {
    // Held: taken before, or parked, or discarded. A duplicate of it has no effect.
    const held = new Set(await inbox.held(parcel.map(({ id }) => id)));
    const outcomes = await Promise.allSettled(
      parcel
        .filter(({ id }) => !held.has(id))
        .map((event) => withCorrelation(event.correlationId, () => handleOrPark(event))),
    );
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  return {
    async take(contracts, handlers, { concurrency }) {
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
    async retake(event) {
      if ((await inbox.held([event.id])).length > 0) return;
      try {
        await withCorrelation(event.correlationId, () => handle(event));
      } catch (error) {
        await noteFailure(event, error);
        throw error;
      }
    },
  };
}

const LONGEST_TEXT = 4_000;

/** What an operator reads; PostgreSQL's text takes no NUL. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.replaceAll('\0', '').slice(0, LONGEST_TEXT);
}
