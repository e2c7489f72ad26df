import { withCorrelation } from './correlation.ts';
import { type ContextName, type EventContract, type EventRecord, queueName } from './events.ts';
import type { Logger } from './logger.ts';
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

/**
 * Receives one context's events for `consumer`. Each topic has a queue of the consumer's own; the
 * payload is parsed by its contract before a handler sees it. A handler that throws is tried again.
 */
export async function consume<C extends Contracts>(
  transport: Transport,
  consumer: ContextName,
  contracts: C,
  handlers: Handlers<C>,
  options: { concurrency: number; logger: Logger },
): Promise<void> {
  const topics = new Set(
    Object.keys(handlers).map((type) => (contracts[type] as EventContract).topic),
  );
  const handle = async (event: EventRecord): Promise<void> => {
    await withCorrelation(event.correlationId, async () => {
      const contract = contracts[event.type];
      const handler = handlers[event.type] as
        | ((e: ReceivedEvent<unknown>) => Promise<void>)
        | undefined;
      if (!contract || !handler) throw new Error(`${consumer} does not know ${event.type}`);
      try {
        await handler({
          id: event.id,
          type: event.type,
          version: event.version,
          occurredAt: new Date(event.occurredAt),
          payload: contract.payload.parse(event.payload),
        });
      } catch (error) {
        options.logger.error({ err: error, event: event.type, eventId: event.id }, 'event failed');
        throw error;
      }
    });
  };
  for (const topic of topics) {
    await transport.receive(queueName(topic, consumer), options.concurrency, handle);
  }
}
