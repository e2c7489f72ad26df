import { setTimeout as wait } from 'node:timers/promises';
import { query } from './query.ts';

/** PostgreSQL's own count of what was written; it shows whether two loads do the same work. */
export interface WrittenRows {
  inserted: number;
  updated: number;
  commits: number;
  /** Repeated deliveries: an event's lease expired before every consumer had acknowledged it. */
  redelivered: number;
}

/** The counts divided by the number of bookings. */
export function perBooking(written: WrittenRows, bookings: number): WrittenRows {
  return {
    inserted: written.inserted / bookings,
    updated: written.updated / bookings,
    commits: written.commits / bookings,
    redelivered: written.redelivered / bookings,
  };
}

// Backends report what they have done once a second, and when they are closed.
const REPORT_DELAY_MS = 1_500;

/** Starts to count the rows written to these databases; the returned function returns the counts. */
export async function countWrittenRows(
  postgresUrl: (database: string) => string,
  databases: readonly string[],
): Promise<() => Promise<WrittenRows>> {
  const before = await written(postgresUrl, databases);
  return async () => {
    await wait(REPORT_DELAY_MS);
    const after = await written(postgresUrl, databases);
    return {
      inserted: after.inserted - before.inserted,
      updated: after.updated - before.updated,
      commits: after.commits - before.commits,
      redelivered: after.redelivered - before.redelivered,
    };
  };
}

async function written(
  postgresUrl: (database: string) => string,
  databases: readonly string[],
): Promise<WrittenRows> {
  const [counted] = await query<Omit<WrittenRows, 'redelivered'>>(
    postgresUrl('postgres'),
    `SELECT sum(tup_inserted)::float8 AS inserted, sum(tup_updated)::float8 AS updated,
            sum(xact_commit)::float8 AS commits
       FROM pg_stat_database WHERE datname = ANY($1)`,
    [databases],
  );
  if (!counted) throw new Error('PostgreSQL reports no statistics.');
  let redelivered = 0;
  for (const database of databases) {
    const url = postgresUrl(database);
    // The queue's database has none.
    const [outbox] = await query<{ exists: boolean }>(
      url,
      "SELECT to_regclass('outbox') IS NOT NULL AS exists",
    );
    if (!outbox?.exists) continue;
    const [row] = await query<{ again: number }>(
      url,
      'SELECT coalesce(sum(attempts - 1), 0)::float8 AS again FROM outbox WHERE attempts > 1',
    );
    redelivered += row?.again ?? 0;
  }
  return { ...counted, redelivered };
}
