import { type Pool, statement } from '../database/postgres.ts';
import { insertAuditEntry, newAuditEntry } from '../operator/audit.ts';
import type { EventRecord } from './events.ts';

/**
 * `FAILING`: retried automatically. `PARKED`: waits for an operator. `REPLAYING`: an operator's replay
 * is running, or its process died in it. `REPLAYED` and `DISCARDED`: final.
 */
export type DeadLetterState = 'FAILING' | 'PARKED' | 'REPLAYING' | 'REPLAYED' | 'DISCARDED';

/** An event that a consumer failed to process, as it was received. */
export interface DeadLetter {
  eventId: string;
  event: EventRecord;
  state: DeadLetterState;
  failures: number;
  /** Why the last attempt failed; earlier releases stored the stack, see plainFailureText. */
  error: string;
  firstFailedAt: Date;
  lastFailedAt: Date;
  settledAt: Date | null;
  settledBy: string | null;
  reason: string | null;
}

/** More dead letters are not counted: what counts them must not read them all. */
export const MAX_COUNTED = 10_000;

/** What an operator did with a dead letter in the end. */
export interface Resolution {
  state: 'REPLAYED' | 'DISCARDED';
  by: string;
  reason: string | null;
}

/**
 * A consumer's dead letters, in its own database. A parked event has a row in the inbox: so its
 * producer gets an acknowledgement, and late duplicates have no effect.
 */
export interface DeadLetters {
  /**
   * Counts a failed attempt; the `parkAfter`th parks the event. Returns the state after it; null when
   * the event was processed, replayed or discarded meanwhile: then nothing is counted.
   */
  recordFailure(
    event: EventRecord,
    error: string,
    parkAfter: number,
  ): Promise<DeadLetterState | null>;
  /**
   * Deletes the failures of processed events. The transaction of an effect does so for its own event;
   * this is for failures that were counted at that very moment, or by an earlier release.
   */
  deleteProcessed(): Promise<void>;
  find(eventId: string): Promise<DeadLetter | null>;
  /** Oldest event first, without those that were never parked. */
  list(page: {
    states: readonly DeadLetterState[];
    after: string | null;
    limit: number;
  }): Promise<DeadLetter[]>;
  /** At most {@link MAX_COUNTED}. */
  count(state: DeadLetterState): Promise<number>;
  /**
   * Deletes a parked event from the inbox, so that it can be processed. False when it is not parked.
   * A replay whose process died stays `REPLAYING`: the inbox then shows whether it was processed.
   */
  beginReplay(eventId: string): Promise<boolean>;
  /**
   * Marks a replaying dead letter as replayed, or a parked one as discarded; false when its state is
   * another one. Where there is an audit log, an entry is written in the same transaction.
   */
  resolve(eventId: string, settlement: Resolution): Promise<boolean>;
}

// The event is parked only if this statement inserts it into the inbox. Where a concurrent attempt
// processed the event, its inbox row was first, and there is nothing to park.
const countFailure = statement<{ state: DeadLetterState }>(
  'dead-letter-record-failure',
  `WITH recorded AS (
     INSERT INTO inbox (event_id)
     SELECT $1::uuid
      WHERE 1 + coalesce((SELECT failures FROM dead_letter WHERE event_id = $1::uuid), 0) >= $4::int
     ON CONFLICT DO NOTHING
  RETURNING event_id)
   INSERT INTO dead_letter (event_id, state, event, failures, error)
   SELECT $1::uuid,
          CASE WHEN EXISTS (SELECT FROM recorded) THEN 'PARKED' ELSE 'FAILING' END::dead_letter_state,
          $2::jsonb, 1, $3
    WHERE NOT EXISTS (SELECT FROM inbox WHERE event_id = $1::uuid)
   ON CONFLICT (event_id) DO UPDATE
      SET failures = dead_letter.failures + 1, error = EXCLUDED.error, last_failed_at = now(),
          state = CASE WHEN EXCLUDED.state = 'PARKED' THEN 'PARKED' ELSE dead_letter.state END
    WHERE dead_letter.state IN ('FAILING', 'REPLAYING')
RETURNING state`,
);

const deleteProcessed = statement(
  'dead-letter-delete-processed',
  `DELETE FROM dead_letter d
    WHERE state = 'FAILING' AND EXISTS (SELECT FROM inbox i WHERE i.event_id = d.event_id)`,
);

const COLUMNS = `
  event_id AS "eventId", event, state, failures, error, first_failed_at AS "firstFailedAt",
  last_failed_at AS "lastFailedAt", settled_at AS "settledAt", settled_by AS "settledBy", reason`;

const find = statement<DeadLetter>(
  'dead-letter-find',
  `SELECT ${COLUMNS} FROM dead_letter WHERE event_id = $1::uuid`,
);

const list = statement<DeadLetter>(
  'dead-letter-list',
  `SELECT ${COLUMNS} FROM dead_letter
    WHERE state = ANY($1::dead_letter_state[]) AND ($2::uuid IS NULL OR event_id > $2::uuid)
    ORDER BY event_id LIMIT $3`,
);

const count = statement<{ count: number }>(
  'dead-letter-count',
  `SELECT count(*)::int AS count
     FROM (SELECT FROM dead_letter WHERE state = $1::dead_letter_state LIMIT ${MAX_COUNTED}) counted`,
);

const release = statement<{ event_id: string }>(
  'dead-letter-begin-replay',
  `WITH released AS (
     UPDATE dead_letter SET state = 'REPLAYING'
      WHERE event_id = $1::uuid AND state = 'PARKED' RETURNING event_id),
   unrecorded AS (
     DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM released))
   SELECT event_id FROM released`,
);

const resolve = statement<{ event_id: string }>(
  'dead-letter-resolve',
  `WITH resolved AS (
     UPDATE dead_letter
        SET state = $2::text::dead_letter_state, settled_at = now(), settled_by = $3, reason = $4
      WHERE event_id = $1::uuid
        AND state = CASE $2::text WHEN 'REPLAYED' THEN 'REPLAYING' ELSE 'PARKED' END::dead_letter_state
  RETURNING event_id),
   audited AS (${insertAuditEntry('$5', 'EXISTS (SELECT FROM resolved)')})
   SELECT event_id FROM resolved`,
);

/** Dead letters in the database of a PostgreSQL inbox. */
export function postgresDeadLetters(pool: Pool): DeadLetters {
  return {
    async recordFailure(event, error, parkAfter) {
      const [row] = await countFailure(pool, event.id, JSON.stringify(event), error, parkAfter);
      return row?.state ?? null;
    },
    deleteProcessed: async () => void (await deleteProcessed(pool)),
    find: async (eventId) => (await find(pool, eventId))[0] ?? null,
    list: ({ states, after, limit }) => list(pool, [...states], after, limit),
    count: async (state) => (await count(pool, state))[0]?.count ?? 0,
    beginReplay: async (eventId) => (await release(pool, eventId)).length > 0,
    async resolve(eventId, settlement) {
      const [deadLetter] = await find(pool, eventId);
      if (!deadLetter) return false;
      const { state, by, reason } = settlement;
      const entry = JSON.stringify(toAuditEntry(deadLetter.event, settlement));
      return (await resolve(pool, eventId, state, by, reason, entry)).length > 0;
    },
  };
}

function toAuditEntry(event: EventRecord, { state, by, reason }: Resolution) {
  return newAuditEntry({
    userId: by,
    actedAs: 'operator',
    action: state === 'REPLAYED' ? 'replayDeadLetter' : 'discardDeadLetter',
    subjectType: 'event',
    subjectId: event.aggregateId,
    details: { eventId: event.id, type: event.type, ...(reason !== null && { reason }) },
  });
}
