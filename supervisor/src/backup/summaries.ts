import { createClient } from '@libsql/client';
import pg from 'pg';
import type { DatabaseSummary } from './manifest.ts';

/** Tables that lose rows while the system runs; the others only grow. */
const SHRINKING = new Set([
  'dead_letter',
  'event_archive',
  'inbox',
  'invariant_violation',
  'occupied_slot',
  'outbox',
]);

type Query = (sql: string) => Promise<Record<string, unknown>[]>;

/** What a database of PostgreSQL holds. */
export async function summarizePostgres(url: string): Promise<DatabaseSummary> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await summarize(
      async (sql) => (await client.query(sql)).rows,
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/** What a file of SQLite holds. */
export async function summarizeSqlite(url: string): Promise<DatabaseSummary> {
  const client = createClient({ url });
  try {
    return await summarize(
      async (sql) => (await client.execute(sql)).rows,
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
  } finally {
    client.close();
  }
}

async function summarize(query: Query, listTables: string): Promise<DatabaseSummary> {
  const names = (await query(listTables)).map(({ name }) => String(name)).sort();
  const rows: Record<string, number> = {};
  for (const name of names.filter((each) => !each.startsWith('_'))) {
    const [row] = await query(`SELECT count(*) AS rows FROM "${name}"`);
    rows[name] = Number(row?.rows);
  }
  // Before its first start has ended a context has no table of migrations.
  const applied = names.includes('_prisma_migrations')
    ? await query('SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL')
    : [];
  return { migrations: applied.map((each) => String(each.migration_name)).sort(), rows };
}

/** Throws a sentence when a restored database holds less than the manifest says. */
export function requireRows(name: string, found: DatabaseSummary, expected: DatabaseSummary): void {
  for (const [table, rows] of Object.entries(expected.rows)) {
    if (SHRINKING.has(table) || (found.rows[table] ?? 0) >= rows) continue;
    throw new Error(
      `The restored table ${table} of ${name} has ${found.rows[table] ?? 0} rows; the backup had ${rows} or more.`,
    );
  }
}
