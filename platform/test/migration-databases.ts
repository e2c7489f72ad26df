import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import mariadb from 'mariadb';
import pg from 'pg';

export interface MigrationDatabase {
  url: string;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** A transaction that has run the statement and stays open; `id` is that of its session. */
  openTransaction(sql: string): Promise<OpenTransaction>;
  drop(): Promise<void>;
}

export interface OpenTransaction {
  id: number;
  query(sql: string): Promise<unknown>;
  end(): Promise<void>;
}

export interface Engine {
  provider: 'sqlite' | 'postgresql' | 'mysql';
  /** Whether this run of the tests has a server of it. */
  isAvailable: boolean;
  create(folder: string): Promise<MigrationDatabase>;
}

export const engines: Engine[] = [
  { provider: 'sqlite', isAvailable: true, create: createSqlite },
  { provider: 'postgresql', isAvailable: !!process.env.TEST_POSTGRES_URL, create: createPostgres },
  { provider: 'mysql', isAvailable: !!process.env.TEST_MARIADB_URL, create: createMariadb },
];

async function createSqlite(folder: string): Promise<MigrationDatabase> {
  const url = `file:${join(folder, 'test.sqlite')}`;
  return {
    url,
    async query(sql) {
      const client = createClient({ url });
      try {
        return (await client.execute(sql)).rows as unknown as Record<string, unknown>[];
      } finally {
        client.close();
      }
    },
    openTransaction: () => Promise.reject(new Error('SQLite has one writer.')),
    drop: async () => {},
  };
}

async function createPostgres(): Promise<MigrationDatabase> {
  const server = process.env.TEST_POSTGRES_URL as string;
  const name = `migrate_${randomUUID().replaceAll('-', '')}`;
  const query = async (connectionString: string, sql: string) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return {
    url: url.href,
    query: (sql) => query(url.href, sql),
    async openTransaction(sql) {
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      const { rows } = await client.query('SELECT pg_backend_pid() AS id');
      await client.query('BEGIN');
      await client.query(sql);
      return { id: rows[0].id, query: (text) => client.query(text), end: () => client.end() };
    },
    drop: async () => {
      await query(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function createMariadb(): Promise<MigrationDatabase> {
  const server = new URL((process.env.TEST_MARIADB_URL as string).replace(/^mysql:/, 'mariadb:'));
  const name = `migrate_${randomUUID().replaceAll('-', '')}`;
  const query = async (target: URL, sql: string) => {
    const connection = await mariadb.createConnection(`${target.href}?timezone=Z`);
    try {
      return await connection.query(sql);
    } finally {
      await connection.end();
    }
  };
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return {
    url: url.href.replace(/^mariadb:/, 'mysql:'),
    query: (sql) => query(url, sql),
    async openTransaction(sql) {
      const connection = await mariadb.createConnection(url.href);
      await connection.query('START TRANSACTION');
      await connection.query(sql);
      const { threadId } = connection;
      return {
        id: Number(threadId),
        query: (text) => connection.query(text),
        end: () => connection.end(),
      };
    },
    drop: async () => {
      await query(server, `DROP DATABASE ${name}`);
    },
  };
}
