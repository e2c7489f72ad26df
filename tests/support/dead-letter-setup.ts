import { expect } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type Consumer, openConsumer } from '#platform/messaging/consumer.ts';
import type { DeadLetters } from '#platform/messaging/dead-letters.ts';
import type { EventRecord } from '#platform/messaging/events.ts';
import type { Inbox } from '#platform/messaging/inbox.ts';
import type { Transport } from '#platform/messaging/queue.ts';
import { createMetrics } from '#platform/observability/metrics.ts';
import { deadLetterResolvers } from '#platform/operator/dead-letter-resolvers.ts';
import { silent } from './database.ts';

/** A database with an inbox and dead letters. */
export interface DeadLetterStore {
  inbox: Inbox;
  deadLetters: DeadLetters;
  /** Gives the event an effect in a transaction of the context; false if it already had one. */
  process(eventId: string): Promise<boolean>;
  /** Writes the event into the inbox as earlier releases did. */
  insertIntoInbox(eventId: string): Promise<unknown>;
  drop(): Promise<unknown>;
}

export const MAX_ATTEMPTS = 3;
export const payload = z.object({ n: z.int(), colour: z.enum(['RED']).optional() });

const operator = { principal: { userId: 'olga', roles: ['operator'] } };

type Deliver = (batch: readonly EventRecord[]) => Promise<void>;
type Resolver = (source: unknown, args: object, context: object) => Promise<{ type: string }>;

export function newEvent(content: unknown = { n: 1 }): EventRecord {
  return {
    id: uuidv7(),
    topic: 'tests',
    type: 'Tested',
    aggregateId: uuidv7(),
    version: 1,
    occurredAt: '2030-01-31T10:00:00.000Z',
    correlationId: 'test',
    payload: content,
    awaiting: ['mypage'],
  };
}

/** A consumer on a store, whose handler fails with the error that a test gives an event. */
export class DeadLetterSetup {
  readonly handled: string[] = [];
  readonly errors = new Map<string, Error>();
  readonly #effects: string[] = [];
  readonly #logged: [fields: object, message: string][] = [];
  #store: DeadLetterStore | undefined;
  #consumer: Consumer | undefined;
  #deliver: Deliver = async () => {};

  async open(openStore: () => Promise<DeadLetterStore>): Promise<void> {
    this.#store = await openStore();
    const { consumer, receive } = await this.openConsumer({ Tested: { payload } });
    this.#consumer = consumer;
    this.#deliver = receive;
  }

  async close(): Promise<void> {
    await this.#store?.drop();
  }

  get store(): DeadLetterStore {
    return this.#store as DeadLetterStore;
  }

  deliver(batch: readonly EventRecord[]): Promise<void> {
    return this.#deliver(batch);
  }

  /** Opens another consumer with these contracts; `receive` delivers a batch to it. */
  async openConsumer(contracts: Record<string, object>) {
    let receive: Deliver = async () => {};
    const transport: Pick<Transport, 'receive'> = {
      async receive(_queue, _concurrency, handle) {
        receive = handle;
      },
    };
    const metrics = createMetrics('test');
    const consumer = openConsumer({
      name: 'mypage',
      transport: transport as Transport,
      inbox: this.store.inbox,
      deadLetters: this.store.deadLetters,
      parkAfter: MAX_ATTEMPTS,
      metrics,
      logger: silent,
    });
    const entries = Object.entries(contracts).map(([type, contract]) => [
      type,
      { topic: 'tests', consumers: ['mypage'], ...contract },
    ]);
    const handler = (event: { id: string }) => this.#handle(event);
    const handlers = Object.fromEntries(Object.keys(contracts).map((type) => [type, handler]));
    await consumer.subscribe(Object.fromEntries(entries), handlers as never, { concurrency: 1 });
    return { consumer, receive, metrics };
  }

  async #handle({ id }: { id: string }): Promise<void> {
    this.handled.push(id);
    const error = this.errors.get(id);
    if (error) throw error;
    if (await this.store.process(id)) this.#effects.push(id);
  }

  newPoisonedEvent(): EventRecord {
    const event = newEvent();
    this.errors.set(event.id, new Error('a test failure'));
    return event;
  }

  /** Delivers a poisoned event until it is parked. */
  async parkEvent(): Promise<EventRecord> {
    const event = this.newPoisonedEvent();
    for (let n = 1; n < MAX_ATTEMPTS; n += 1) await expect(this.deliver([event])).rejects.toThrow();
    await this.deliver([event]);
    return event;
  }

  async stateOf(event: EventRecord) {
    return (await this.store.deadLetters.find(event.id))?.state ?? null;
  }

  async isAcknowledged(event: EventRecord): Promise<boolean> {
    return (await this.store.inbox.findRecorded([event.id])).length === 1;
  }

  effectsOf(event: EventRecord): number {
    return this.#effects.filter((id) => id === event.id).length;
  }

  logOf({ id }: EventRecord) {
    return this.#logged.filter(([fields]) => (fields as { eventId: string }).eventId === id);
  }

  replay(event: EventRecord) {
    return this.#resolve('replayMyPageDeadLetter', { eventId: event.id });
  }

  discard(event: EventRecord, reason = 'a test') {
    return this.#resolve('discardMyPageDeadLetter', { eventId: event.id, reason });
  }

  async #resolve(field: string, args: object) {
    const logger = {
      info: (...line: unknown[]) => void this.#logged.push(line as [object, string]),
    };
    const consumer = this.#consumer as Consumer;
    const { Mutation } = deadLetterResolvers('MyPage', this.store.deadLetters, consumer, logger);
    return (Mutation as unknown as Record<string, Resolver>)[field]?.(null, args, operator);
  }
}
