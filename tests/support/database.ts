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
  const name = newName(context ?? 'plain');
  await onPostgres(server, async (client) => {
    const template = context ? await migratedTemplate(client, server, context) : 'template1';
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const url = databaseUrl(server, name);

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
      await onPostgres(server, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
    },
  };
}

/** The name of a database with the tables of the context: a copy of it is made in less time than the migrations take. */
async function migratedTemplate(client: pg.Client, server: URL, context: string): Promise<string> {
  const template = `template_${context}`;
  // Another worker may be creating it. The lock lasts until the connection ends.
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
  const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template]);
  if (rows.length > 0) return template;
  const unfinished = newName(template);
  await client.query(`CREATE DATABASE ${unfinished}`);
  await migrate(databaseUrl(server, unfinished).href, `prisma/${context}/migrations`);
  await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
  return template;
}

const newName = (kind: string) => `test_${kind}_${randomUUID().replaceAll('-', '')}`;

function databaseUrl(server: URL, name: string): URL {
  const url = new URL(server);
  url.pathname = name;
  return url;
}

/** A new MariaDB database without tables. */
export async function createMariaDb(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = serverUrl('TEST_MARIADB_URL');
  const name = newName('mypage');
  await onMariaDb(server, `CREATE DATABASE ${name}`);
  return {
    url: databaseUrl(server, name).href,
    drop: () => onMariaDb(server, `DROP DATABASE ${name}`),
  };
}

export async function migrate(databaseUrl: string, migrations: string): Promise<void> {
  await applyMigrations({ databaseUrl, migrationsDir: projectFile(migrations), log: silent });
}

function serverUrl(variable: 'TEST_POSTGRES_URL' | 'TEST_MARIADB_URL'): URL {
  const url = process.env[variable];
  if (!url) throw new Error(`${variable} is not set: these tests need the real database.`);
  return new URL(url);
}

async function onPostgres(
  server: URL,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await work(client);
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
