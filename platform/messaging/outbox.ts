import { type Queryable, statement } from '../database/postgres.ts';
import type { EventRecord, StoredEvent } from './events.ts';

/**
 * An event is born leased to the process that commits it: that process sends it right after the
 * commit, and any relay does when the lease runs out first.
 */
const FIRST_LEASE_SECONDS = 5;
const MAX_LEASE_SECONDS = 60;

/**
 * SQL that stores the events of a JSON parameter, to be put into the statement of their cause.
 * `condition` can make it depend on another part of that statement.
 */
export function insertOutbox(parameter: string, condition = 'TRUE'): string {
  return `
    INSERT INTO outbox (id, aggregate_id, version, topic, type, schema_version, payload,
                        correlation_id, occurred_at, awaiting, attempts, next_attempt_at)
    SELECT id, "aggregateId", version, topic, type, coalesce("schemaVersion", 1), payload,
           "correlationId", "occurredAt", awaiting, 1, now() + interval '${FIRST_LEASE_SECONDS} seconds'
      FROM jsonb_to_recordset(${parameter}::jsonb)
        AS e (id uuid, "aggregateId" uuid, version int, topic text, type text,
              "schemaVersion" int, payload jsonb, "correlationId" text, "occurredAt" timestamptz, awaiting text[])
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

/** Reads back what {@link insertOutbox} wrote; who awaits it is the relay's business alone. */
export function storedEventOf(row: EventRow): StoredEvent {
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
  awaiting: string[];
  attempts: number;
}

// Never "everything after the last position": sequences and clocks commit out of order. The lease grows
// only with what is sent to all consumers: one whose queue is too long now gets the event soon after.
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

/** An event and how often it has been sent, this time included. */
export interface ClaimedEvent {
  event: EventRecord;
  attempt: number;
}

/**
 * Leases up to `limit` due events to the caller and commits that, before anything is sent. Only
 * events that one of the `queues` is to carry.
 */
export async function claimDueEvents(
  db: Queryable,
  limit: number,
  queues: readonly string[],
): Promise<ClaimedEvent[]> {
  const rows = await claim(db, limit, queues);
  return rows.map((row) => ({
    attempt: row.attempts,
    event: { ...storedEventOf(row), awaiting: row.awaiting },
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

const awaited = statement<{ events: number; seconds: number }>(
  'outbox-awaited',
  `SELECT count(*)::int AS events,
          coalesce(extract(epoch FROM now() - min(occurred_at)), 0)::float AS seconds
     FROM outbox WHERE awaiting <> '{}'`,
);

/** How many events are not acknowledged by all their consumers, and the age of the oldest. */
export async function awaitedEvents(db: Queryable): Promise<{ events: number; seconds: number }> {
  return (await awaited(db))[0] ?? { events: 0, seconds: 0 };
}

// Locked in one order: two relays that acknowledge the same events must not end in a deadlock.
const acknowledge = statement(
  'outbox-acknowledge',
  `UPDATE outbox SET awaiting = array_remove(awaiting, $1)
    WHERE id IN (SELECT id FROM outbox WHERE id = ANY($2::uuid[]) AND $1 = ANY(awaiting)
                  ORDER BY id FOR UPDATE)`,
);

/** Notes that the consumer holds these events durably; they are not sent to it again. */
export async function acknowledgeEvents(
  db: Queryable,
  consumer: string,
  ids: readonly string[],
): Promise<void> {
  await acknowledge(db, consumer, ids);
}
