import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** PostgreSQL's own count of what was written; it shows whether two loads do the same work. */
export interface WrittenRows {
  inserted: number;
  updated: number;
  commits: number;
  /** Events whose first lease ran out before all had acknowledged them. */
  sentAgain: number;
}

/** The same for each of so many bookings. */
export function perBooking(written: WrittenRows, bookings: number): WrittenRows {
  return {
    inserted: written.inserted / bookings,
    updated: written.updated / bookings,
    commits: written.commits / bookings,
    sentAgain: written.sentAgain / bookings,
  };
}

// Backends report what they have done once a second, and when they are closed.
const REPORTED_WITHIN_MS = 1_500;

/** Counts what is written into these databases until the answer is called; then tells. */
export async function countWrittenRows(
  postgresUrl: (database: string) => string,
  databases: readonly string[],
): Promise<() => Promise<WrittenRows>> {
  const before = await written(postgresUrl, databases);
  return async () => {
    await wait(REPORTED_WITHIN_MS);
    const after = await written(postgresUrl, databases);
    return {
      inserted: after.inserted - before.inserted,
      updated: after.updated - before.updated,
      commits: after.commits - before.commits,
      sentAgain: after.sentAgain - before.sentAgain,
    };
  };
}

async function written(
  postgresUrl: (database: string) => string,
  databases: readonly string[],
): Promise<WrittenRows> {
  const [counted] = await query<Omit<WrittenRows, 'sentAgain'>>(
    postgresUrl('postgres'),
    `SELECT sum(tup_inserted)::float8 AS inserted, sum(tup_updated)::float8 AS updated,
            sum(xact_commit)::float8 AS commits
       FROM pg_stat_database WHERE datname = ANY($1)`,
    [databases],
  );
  if (!counted) throw new Error('PostgreSQL does not tell what was written.');
  let sentAgain = 0;
  for (const database of databases) {
    const [row] = await query<{ again: number }>(
      postgresUrl(database),
      'SELECT coalesce(sum(attempts - 1), 0)::float8 AS again FROM outbox WHERE attempts > 1',
    );
    sentAgain += row?.again ?? 0;
  }
  return { ...counted, sentAgain };
}

async function query<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}
