import { type Queryable, statement } from '../database/postgres.ts';
import type { EventRecord, StoredEvent } from './events.ts';

/**
 * A new event is leased to the process that commits it, which sends it right after the commit. When
 * the lease runs out before all consumers acknowledged it, any relay claims it.
 */
const FIRST_LEASE_SECONDS = 5;
const MAX_LEASE_SECONDS = 60;

/**
 * SQL that stores the events of a JSON parameter, as a part of the statement of their change.
 * `condition` can make it depend on another part of that statement.
 */
export function insertOutbox(parameter: string, condition = 'TRUE'): string {
  return `
    INSERT INTO outbox (id, aggregate_id, version, topic, type, schema_version, payload,
                        correlation_id, traceparent, occurred_at, awaiting, attempts, next_attempt_at)
    SELECT id, "aggregateId", version, topic, type, coalesce("schemaVersion", 1), payload,
           "correlationId", traceparent, "occurredAt", awaiting, 1, now() + interval '${FIRST_LEASE_SECONDS} seconds'
      FROM jsonb_to_recordset(${parameter}::jsonb)
        AS e (id uuid, "aggregateId" uuid, version int, topic text, type text,
              "schemaVersion" int, payload jsonb, "correlationId" text, traceparent text,
              "occurredAt" timestamptz, awaiting text[])
     WHERE ${condition}`;
}

/** An event as a table stores it. */
export interface EventRow {
  id: string;
  aggregate_id: string;
  version: number;
  topic: string;
  type: string;
  schema_version: number;
  payload: unknown;
  correlation_id: string;
  occurred_at: Date;
}

/** Reads what {@link insertOutbox} wrote, without `awaiting` and `traceparent`, which only the relay needs. */
export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    id: row.id,
    topic: row.topic,
    type: row.type,
    aggregateId: row.aggregate_id,
    version: row.version,
    schemaVersion: row.schema_version,
    occurredAt: row.occurred_at.toISOString(),
    correlationId: row.correlation_id,
    payload: row.payload,
  };
}

interface OutboxRow extends EventRow {
  /** Null without traces, and in rows of earlier releases. */
  traceparent: string | null;
  awaiting: string[];
  attempts: number;
}

// Not "everything after the last position": sequences and clocks commit out of order. The lease grows
// only when all awaited queues are among $2: a consumer whose queue is too long now gets the event soon.
const claim = statement<OutboxRow>(
  'outbox-claim',
  `UPDATE outbox o
      SET attempts = o.attempts + 1,
          next_attempt_at = now() + interval '1 second'
            * CASE WHEN EXISTS (SELECT FROM unnest(o.awaiting) consumer
                                 WHERE o.topic || '.' || consumer <> ALL ($2::text[]))
                   THEN ${FIRST_LEASE_SECONDS}
                   ELSE least(${MAX_LEASE_SECONDS}, ${FIRST_LEASE_SECONDS} * 2 ^ least(o.attempts, 6))
              END
     FROM (SELECT id FROM outbox
            WHERE awaiting <> '{}' AND next_attempt_at <= now()
              AND EXISTS (SELECT FROM unnest(awaiting) consumer
                           WHERE topic || '.' || consumer = ANY($2::text[]))
            ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
    WHERE o.id = due.id
RETURNING o.*`,
);

/** An event, and the number of times it was sent, this time included. */
export interface ClaimedEvent {
  event: EventRecord;
  attempt: number;
}

/**
 * Leases up to `limit` due events to the caller and commits that, before anything is sent. Only
 * events for at least one of the `queues`.
 */
export async function claimDueEvents(
  db: Queryable,
  limit: number,
  queues: readonly string[],
): Promise<ClaimedEvent[]> {
  const rows = await claim(db, limit, queues);
  return rows.map((row) => ({
    attempt: row.attempts,
    event: {
      ...toStoredEvent(row),
      ...(row.traceparent !== null && { traceparent: row.traceparent }),
      awaiting: row.awaiting,
    },
  }));
}

const due = statement<{ due: boolean }>(
  'outbox-due',
  `SELECT EXISTS (SELECT FROM outbox WHERE awaiting <> '{}' AND next_attempt_at <= now()) AS due`,
);

/** Is any event due? */
export async function hasDueEvents(db: Queryable): Promise<boolean> {
  return (await due(db))[0]?.due === true;
}

// Locks in one order: else two relays that acknowledge the same events could deadlock.
const acknowledge = statement(
  'outbox-acknowledge',
  `UPDATE outbox SET awaiting = array_remove(awaiting, $1)
    WHERE id IN (SELECT id FROM outbox WHERE id = ANY($2::uuid[]) AND $1 = ANY(awaiting)
                  ORDER BY id FOR UPDATE)`,
);

/** Records that the consumer's inbox contains these events; they are not sent to it again. */
export async function acknowledgeEvents(
  db: Queryable,
  consumer: string,
  ids: readonly string[],
): Promise<void> {
  await acknowledge(db, consumer, ids);
}
