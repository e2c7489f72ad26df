import type { EventContract } from '#contracts/event-contract.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { watchConsumer } from './consumer-watch.ts';
import type { DeadLetters } from './dead-letters.ts';
import { readPayload } from './event-payload.ts';
import { eventProcessor } from './event-processor.ts';
import { type EventRecord, queueName } from './events.ts';
import { NotUnderstood } from './failures.ts';
import type { Inbox } from './inbox.ts';
import type { Transport } from './queue.ts';

/** What a handler receives: the event's parsed payload, and the id for the inbox. */
export interface ReceivedEvent<Payload> {
  id: string;
  type: string;
  /** The version of the aggregate after the event. */
  version: number;
  occurredAt: Date;
  payload: Payload;
}

type Contracts = Record<string, EventContract>;
type PayloadOf<Contract> = Contract extends EventContract<infer Payload> ? Payload : never;

/** A handler for each type of event that the consumer processes. */
export type Handlers<C extends Contracts> = {
  [Type in keyof C]?: (event: ReceivedEvent<PayloadOf<C[Type]>>) => Promise<void>;
};

type AnyHandler = (event: ReceivedEvent<unknown>) => Promise<void>;

/** One context as a consumer of the others' events. */
export interface Consumer {
  /**
   * Receives one context's events. Each topic has a queue for this consumer alone; the payload is
   * upcast and parsed by its contract before a handler receives it. A transient failure is retried and
   * not counted; an event that is not understood is redelivered later; an event that fails otherwise is
   * parked after some attempts, and blocks no other event.
   */
  subscribe<C extends Contracts>(
    contracts: C,
    handlers: Handlers<C>,
    options: { concurrency: number },
  ): Promise<void>;
  /** The types of events that have a handler. */
  types(): string[];
  /** Passes one event to its handler again unless the inbox has it. Rejects when that fails. */
  reprocess(event: EventRecord): Promise<void>;
}

/** The consumer of a context. An event is done once `inbox` contains it. */
export function openConsumer(deps: {
  /** The context, as the topology names it. */
  name: string;
  transport: Transport;
  inbox: Inbox;
  deadLetters: DeadLetters;
  /** Failed attempts after which an event is parked. */
  parkAfter: number;
  metrics: Metrics;
  logger: Logger;
}): Consumer {
  const { name, transport, deadLetters, logger } = deps;
  const routes = new Map<string, { contract: EventContract; handler: AnyHandler }>();

  async function handle(event: EventRecord): Promise<void> {
    const route = routes.get(event.type);
    if (!route) throw new NotUnderstood(`${name} does not know ${event.type}`);
    await route.handler({
      id: event.id,
      type: event.type,
      version: event.version,
      occurredAt: new Date(event.occurredAt),
      payload: readPayload(route.contract, event),
    });
  }

  const processor = eventProcessor({ ...deps, handle, watch: watchConsumer(deps) });

  return {
    async subscribe(contracts, handlers, { concurrency }) {
      // Earlier releases left these rows; a failure to delete them must not prevent the start.
      await deadLetters.deleteProcessed().catch((err) => logger.warn({ err }, 'old failures stay'));
      for (const [type, handler] of Object.entries(handlers)) {
        routes.set(type, {
          contract: contracts[type] as EventContract,
          handler: handler as AnyHandler,
        });
      }
      const topics = new Set(
        Object.keys(handlers).map((type) => (contracts[type] as EventContract).topic),
      );
      for (const topic of topics) {
        await transport.receive(queueName(topic, name), concurrency, processor.processBatch);
      }
    },
    types: () => [...routes.keys()],
    reprocess: processor.reprocess,
  };
}
