import { randomUUID } from 'node:crypto';
import mariadb from 'mariadb';
import pg from 'pg';
import { projectFile } from '#platform/config/project.ts';
import { applyMigrations } from '#platform/database/migrate.ts';
import { inTransaction, openPostgres, type Pool } from '#platform/database/postgres.ts';
import { createLogger } from '#platform/observability/logger.ts';

export const silent = createLogger('test', 'silent');

export interface TestDatabase {
  url: string;
  pool: Pool;
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Runs `work` while another transaction holds the locks that `sql` acquires. */
  whileLocked<T>(sql: string, work: () => Promise<T>): Promise<T>;
  drop(): Promise<void>;
}

/**
 * A new PostgreSQL database, with the tables of the context if one is given. The server does not resolve a
 * deadlock before the statement timeout, so a deadlock fails the test.
 */
export async function createDatabase(
  context?: 'book' | 'payment' | 'space',
): Promise<TestDatabase> {
  const server = serverUrl('TEST_POSTGRES_URL');
  const name = `test_${context ?? 'plain'}_${randomUUID().replaceAll('-', '')}`;
  await onPostgres(server.href, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  if (context) await migrate(url.href, `prisma/${context}/migrations`);

  const withTimeouts = new URL(url);
  withTimeouts.searchParams.set('options', '-c deadlock_timeout=60s');
  withTimeouts.searchParams.set('statement_timeout', '8000');
  const pool = openPostgres(withTimeouts.href, silent);
  // Connecting may take long on a busy test machine; only a deadlock may fail a test.
  pool.options.connectionTimeoutMillis = 25_000;
  return {
    url: url.href,
    pool,
    query: async (sql, values) => (await pool.query(sql, values)).rows,
    whileLocked: (sql, work) =>
      inTransaction(pool, async (db) => {
        await db.query(sql);
        return work();
      }),
    async drop() {
      await pool.end();
      await onPostgres(server.href, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** A new MariaDB database without tables. */
export async function createMariaDb(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = serverUrl('TEST_MARIADB_URL');
  const name = `test_mypage_${randomUUID().replaceAll('-', '')}`;
  await onMariaDb(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => onMariaDb(server, `DROP DATABASE ${name}`) };
}

export async function migrate(databaseUrl: string, migrations: string): Promise<void> {
  await applyMigrations({ databaseUrl, migrationsDir: projectFile(migrations), log: silent });
}

function serverUrl(variable: 'TEST_POSTGRES_URL' | 'TEST_MARIADB_URL'): URL {
  const url = process.env[variable];
  if (!url) throw new Error(`${variable} is not set: these tests need the real database.`);
  return new URL(url);
}

async function onPostgres(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

async function onMariaDb(url: URL, sql: string): Promise<void> {
  const connection = await mariadb.createConnection(url.href.replace(/^mysql:/, 'mariadb:'));
  try {
    await connection.query(sql);
  } finally {
    await connection.end();
  }
}
