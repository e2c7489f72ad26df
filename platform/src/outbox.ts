import type { EventRecord } from './events.ts';
import { type Queryable, statement } from './postgres.ts';

/**
 * An event is born leased to the process that commits it: that process sends it right after the
 * commit, and any relay does when the lease runs out first.
 */
export const FIRST_LEASE_SECONDS = 5;

/**
 * SQL that stores the events of a JSON parameter, to be put into the statement of their cause.
 * `condition` can make it depend on another part of that statement.
 */
export function insertOutbox(parameter: string, condition = 'TRUE'): string {
  return `
    INSERT INTO outbox (id, aggregate_id, version, topic, type, payload, correlation_id,
                        occurred_at, awaiting, attempts, next_attempt_at)
    SELECT id, "aggregateId", version, topic, type, payload, "correlationId",
           "occurredAt", awaiting, 1, now() + interval '${FIRST_LEASE_SECONDS} seconds'
      FROM jsonb_to_recordset(${parameter}::jsonb)
        AS e (id uuid, "aggregateId" uuid, version int, topic text, type text, payload jsonb,
              "correlationId" text, "occurredAt" timestamptz, awaiting text[])
     WHERE ${condition}`;
}

interface OutboxRow {
  id: string;
  aggregate_id: string;
  version: number;
  topic: string;
  type: string;
  payload: unknown;
  correlation_id: string;
  occurred_at: Date;
  awaiting: string[];
  attempts: number;
}

// Never "everything after the last position": sequences and clocks commit out of order.
const claim = statement<OutboxRow>(
  'outbox-claim',
  `UPDATE outbox o
      SET attempts = o.attempts + 1,
          next_attempt_at = now() + least(60, ${FIRST_LEASE_SECONDS} * 2 ^ least(o.attempts, 6)) * interval '1 second'
     FROM (SELECT id FROM outbox
            WHERE awaiting <> '{}' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
    WHERE o.id = due.id
RETURNING o.*`,
);

/** An event and how often it has been sent, this time included. */
export interface ClaimedEvent {
  event: EventRecord;
  attempt: number;
}

/** Leases up to `limit` due events to the caller and commits that, before anything is sent. */
export async function claimDueEvents(db: Queryable, limit: number): Promise<ClaimedEvent[]> {
  const rows = await claim(db, limit);
  return rows.map((row) => ({
    attempt: row.attempts,
    event: {
      id: row.id,
      topic: row.topic,
      type: row.type,
      aggregateId: row.aggregate_id,
      version: row.version,
      occurredAt: row.occurred_at.toISOString(),
      correlationId: row.correlation_id,
      payload: row.payload,
      awaiting: row.awaiting as EventRecord['awaiting'],
    },
  }));
}

const acknowledge = statement(
  'outbox-acknowledge',
  `UPDATE outbox SET awaiting = array_remove(awaiting, $1)
    WHERE id = ANY($2::uuid[]) AND $1 = ANY(awaiting)`,
);

/** Notes that the consumer holds these events durably; they are not sent to it again. */
export async function acknowledgeEvents(
  db: Queryable,
  consumer: string,
  ids: readonly string[],
): Promise<void> {
  await acknowledge(db, consumer, ids);
}
