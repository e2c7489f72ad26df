import type { Socket } from 'node:net';
import pg from 'pg';
import { withTimeout } from '../../lifecycle/timeout.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  LockTimeout,
  type MigrationDatabase,
  withoutCredentials,
} from './database.ts';
import { watchBlockers } from './postgres-blockers.ts';
import { lockTables } from './postgres-locks.ts';

/** Prisma's own key, so that `prisma migrate deploy` waits too. */
const LOCK_KEY = 72707369;
const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

const MIGRATIONS_TABLE = `
        CREATE TABLE _prisma_migrations (
            id                      VARCHAR(36) PRIMARY KEY NOT NULL,
            checksum                VARCHAR(64) NOT NULL,
            finished_at             TIMESTAMPTZ,
            migration_name          VARCHAR(255) NOT NULL,
            logs                    TEXT,
            rolled_back_at          TIMESTAMPTZ,
            started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
            applied_steps_count     INTEGER NOT NULL DEFAULT 0
        )`;

/**
 * Every statement fails after it has waited for a lock for `lockTimeoutMs`, sooner where others may wait for
 * locks that the migration has already, see {@link lockTables}.
 */
export async function connectPostgres(
  url: string,
  lockTimeoutMs: number,
): Promise<MigrationDatabase> {
  const client = await openClient(url, 'spacerent-migrate');
  const setLockTimeout = (ms: number) =>
    client.query(`SELECT set_config('lock_timeout', $1, false)`, [String(ms)]);
  const { rows } = await client.query(
    `SELECT pg_backend_pid() AS pid, setting::int AS deadlock_ms FROM pg_settings
        WHERE name = 'deadlock_timeout'`,
  );
  const { pid, deadlock_ms } = rows[0];
  await setLockTimeout(lockTimeoutMs);
  // Half: the rest is for a machine on which a timeout fires late.
  const furtherLocksMs = Math.min(lockTimeoutMs, deadlock_ms / 2);

  const database: MigrationDatabase = {
    provider: 'postgresql',
    name: withoutCredentials(url),
    async tryLock() {
      const { rows } = await client.query(`SELECT pg_try_advisory_lock(${LOCK_KEY}) AS locked`);
      return rows[0].locked;
    },
    async lockOwner() {
      const { rows } = await client.query(
        `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${LOCK_KEY} AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return rows.length > 0 ? `process ${rows[0].pid} of PostgreSQL` : 'it has just ended';
    },
    async hasMigrationsTable() {
      const { rows } = await client.query("SELECT to_regclass('_prisma_migrations') AS found");
      return rows[0].found !== null;
    },
    createMigrationsTable: () => database.runScript(MIGRATIONS_TABLE),
    async query<Row>(sql: string, values: (string | Date)[] = []) {
      let position = 0;
      const { rows } = await client.query(
        sql.replaceAll('?', () => `$${++position}`),
        values,
      );
      return rows as Row[];
    },
    async runScript(sql) {
      // CREATE INDEX CONCURRENTLY blocks nothing while it waits, and a timeout would leave an invalid index.
      const waitsForLocks = /\bCONCURRENTLY\b/i.test(sql);
      if (waitsForLocks) await setLockTimeout(0);
      const blockers = watchBlockers(
        () => openClient(url, 'spacerent-migrate-watch'),
        pid,
        furtherLocksMs,
      );
      try {
        if (database.canRollBack(sql)) await lockTables(client, sql, furtherLocksMs);
        await client.query(sql);
      } catch (error) {
        // A script with its own BEGIN leaves its failed transaction open.
        if (!database.canRollBack(sql)) await client.query('ROLLBACK').catch(() => {});
        const { code } = error as { code?: string };
        if (code === LOCK_NOT_AVAILABLE) throw new LockTimeout(blockers.description(), 0, error);
        if (code === DEADLOCK) throw new LockTimeout('a deadlock with another session', 0, error);
        throw error;
      } finally {
        await blockers.stop();
        if (waitsForLocks) await setLockTimeout(lockTimeoutMs).catch(() => {});
      }
    },
    // Prisma wraps changes of an enum in BEGIN and COMMIT; that COMMIT would end our transaction.
    canRollBack: (sql) => !/\bCONCURRENTLY\b|^\s*(BEGIN|COMMIT|START TRANSACTION)\s*;/im.test(sql),
    async atomically(work) {
      await client.query('BEGIN');
      try {
        await work();
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
    },
    async close() {
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      const closing = withTimeout(CLOSE_TIMEOUT_MS, 'closing', client.end());
      await closing.catch(() => void stream.destroy());
    },
  };
  return database;
}

async function openClient(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: name,
  });
  // A lost connection fails the running statement; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
}
