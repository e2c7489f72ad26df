import { v7 as uuidv7 } from 'uuid';
import { type EventContract, presentSchemaVersion } from '#contracts/event-contract.ts';
import { findConsumers, type Topology } from '#contracts/topology.ts';
import { correlationId } from '../observability/correlation.ts';
import { traceCreation } from './event-span.ts';

/** An event as it is stored in an outbox and carried by a job. `occurredAt` is RFC 3339 in UTC. */
export interface EventRecord<Payload = unknown> {
  id: string;
  topic: string;
  type: string;
  aggregateId: string;
  /** The aggregate's version after the event; consumers ignore events that are older than their state. */
  version: number;
  /** The version of the payload's shape, see EventContract; absent in jobs of earlier releases: 1. */
  schemaVersion?: number;
  occurredAt: string;
  correlationId: string;
  /** The span that created the event, in W3C's format; absent without traces and in events of earlier releases. */
  traceparent?: string;
  payload: Payload;
  /** The consumers that have not acknowledged the event yet. */
  awaiting: string[];
}

/** An event without the consumers that have not acknowledged it. */
export type StoredEvent = Omit<EventRecord, 'awaiting'>;

/**
 * A new event of the contract, with the correlation id of the current request or event, and a span whose parent is the
 * active one. Instants in its payload are Dates until it is written as JSON.
 */
export function newEvent<Payload>(
  type: string,
  contract: EventContract<Payload>,
  change: { aggregateId: string; version: number; occurredAt: Date; payload: Payload },
  contexts?: Topology,
): EventRecord<Payload> {
  const id = uuidv7();
  const traceparent = traceCreation({ id, type, topic: contract.topic });
  return {
    id,
    topic: contract.topic,
    type,
    aggregateId: change.aggregateId,
    version: change.version,
    schemaVersion: presentSchemaVersion(contract),
    occurredAt: change.occurredAt.toISOString(),
    correlationId: correlationId(),
    ...(traceparent !== undefined && { traceparent }),
    payload: change.payload,
    awaiting: findConsumers(type, contexts),
  };
}

/** The queue of one consumer for a topic. */
export function queueName(topic: string, consumer: string): string {
  return `${topic}.${consumer}`;
}
