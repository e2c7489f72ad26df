import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import { correlationId } from '../observability/correlation.ts';

export const contextNames = ['book', 'payment', 'space', 'mypage'] as const;
export type ContextName = (typeof contextNames)[number];

/** One kind of event: the topic it travels on, who must take it, and the shape of its payload. */
export interface EventContract<Payload = unknown> {
  topic: string;
  consumers: readonly ContextName[];
  payload: z.ZodType<Payload>;
  /**
   * What brings an older payload to the present shape: the first from schema version 1 to 2, the next
   * from 2 to 3. Their number says which version is the present one; without any it is 1.
   */
  upcasts?: readonly ((older: never) => unknown)[];
}

/** The version in which events of the contract are published: one more than it has upcasts. */
export function schemaVersionOf(contract: Pick<EventContract, 'upcasts'>): number {
  return 1 + (contract.upcasts?.length ?? 0);
}

/** A fact as it is stored in an outbox and carried by a job. `occurredAt` is RFC 3339 in UTC. */
export interface EventRecord<Payload = unknown> {
  id: string;
  topic: string;
  type: string;
  aggregateId: string;
  /** The aggregate's version that the fact made; consumers ignore what is older than they know. */
  version: number;
  /** The version of the payload's shape, see EventContract; absent in jobs of earlier releases: 1. */
  schemaVersion?: number;
  occurredAt: string;
  correlationId: string;
  payload: Payload;
  /** The consumers that have not acknowledged the event yet. */
  awaiting: ContextName[];
}

/** An event as it is remembered, whoever awaits it. */
export type StoredEvent = Omit<EventRecord, 'awaiting'>;

/**
 * A new event of the given contract, caused by whatever is being handled now. Instants in its payload
 * are Dates until it is written as JSON.
 */
export function newEvent<Payload>(
  type: string,
  contract: EventContract<Payload>,
  fact: { aggregateId: string; version: number; occurredAt: Date; payload: Payload },
): EventRecord<Payload> {
  return {
    id: uuidv7(),
    topic: contract.topic,
    type,
    aggregateId: fact.aggregateId,
    version: fact.version,
    schemaVersion: schemaVersionOf(contract),
    occurredAt: fact.occurredAt.toISOString(),
    correlationId: correlationId(),
    payload: fact.payload,
    awaiting: [...contract.consumers],
  };
}

/** The queue that carries a topic to one consumer; every consumer has a queue of its own. */
export function queueName(topic: string, consumer: ContextName): string {
  return `${topic}.${consumer}`;
}
