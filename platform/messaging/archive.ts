import { setTimeout as wait } from 'node:timers/promises';
import { type Pool, type Queryable, statement } from '../database/postgres.ts';
import { repeat } from '../lifecycle/lifecycle.ts';
import type { Logger } from '../observability/logger.ts';

const RUN_EVERY_MS = 5_000;
const BATCH_SIZE = 500;
// A batch takes some 20 ms; the pause leaves most of the database's time to other work, and still
// allows several thousand events per second.
const PAUSE_MS = 80;
const HOUR_MS = 3_600_000;
const NIL = '00000000-0000-0000-0000-000000000000';

// Follows the primary key: ids are UUIDv7, so they are in the order of time, and no further index is
// needed. It blocks no other transaction: locked rows are left for the next run, and no other statement
// locks an acknowledged event.
const moveAcknowledged = statement<{ moved: number; last: string | null }>(
  'outbox-archive',
  `WITH acknowledged AS (
     SELECT id FROM outbox
      WHERE id > $1::uuid AND id < $2::uuid AND awaiting = '{}'
      ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED),
   moved AS (
     DELETE FROM outbox WHERE id IN (SELECT id FROM acknowledged)
  RETURNING id, aggregate_id, version, topic, type, schema_version, payload, correlation_id,
            occurred_at),
   archived AS (
     INSERT INTO event_archive
            (id, aggregate_id, version, topic, type, schema_version, payload, correlation_id,
             occurred_at)
     SELECT id, aggregate_id, version, topic, type, schema_version, payload, correlation_id,
            occurred_at
       FROM moved
  RETURNING id)
   SELECT count(*)::int AS moved, (SELECT id FROM archived ORDER BY id DESC LIMIT 1) AS last FROM archived`,
);

/**
 * Moves up to `limit` acknowledged events with ids in (`after`, `before`) from the outbox to the
 * archive, oldest first, in one statement. Returns their number and the last id; null: none.
 */
export async function archiveAcknowledged(
  db: Queryable,
  range: { after: string; before: string },
  limit: number,
): Promise<{ moved: number; last: string | null }> {
  const [row] = await moveAcknowledged(db, range.after, range.before, limit);
  return row ?? { moved: 0, last: null };
}

/** The smallest UUIDv7 of the instant: the ids of all earlier events are less. */
export function firstIdAt(instant: number): string {
  const hex = Math.max(0, Math.floor(instant)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/**
 * Keeps the outbox small: acknowledged events older than `keepHours` move to `event_archive` of the
 * same database, where they stay. Returns a function that stops it after the current batch.
 */
export function startArchiving(deps: {
  pool: Pool;
  keepHours: number;
  logger: Logger;
}): () => Promise<void> {
  const { pool, keepHours, logger } = deps;
  let stopping = false;

  async function archiveAll(): Promise<void> {
    const before = firstIdAt(Date.now() - keepHours * HOUR_MS);
    let archived = 0;
    for (let after: string | null = NIL; after && !stopping; ) {
      const { moved, last } = await archiveAcknowledged(pool, { after, before }, BATCH_SIZE);
      archived += moved;
      // Fewer than the limit: the rest is unacknowledged, or locked until the next run.
      after = moved < BATCH_SIZE ? null : last;
      if (after && !stopping) await wait(PAUSE_MS);
    }
    if (archived > 0) logger.info({ events: archived }, 'events archived');
  }

  const stop = repeat(logger, 'archiving events', RUN_EVERY_MS, archiveAll);
  return () => {
    stopping = true;
    return stop();
  };
}
