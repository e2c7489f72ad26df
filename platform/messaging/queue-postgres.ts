import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresBackend, Queue } from 'bullmq';
import pg from 'pg';
import {
  destroyHalfOpenConnections,
  IDLE_CONNECTION_TIMEOUT_MS,
  renewConnectionsWhenReadOnly,
} from '../database/postgres.ts';
import { withTimeout } from '../lifecycle/timeout.ts';
import type { Logger } from '../observability/logger.ts';
import { throttledWarnings } from '../observability/throttled-warnings.ts';
import { PING_TIMEOUT_MS, type QueueServer } from './queue-server.ts';

/** The schema of BullMQ's tables on PostgreSQL. */
const BULLMQ_SCHEMA = 'bullmq';
const SILENCE_MS = 6_000;
const CLOSE_TIMEOUT_MS = 2_000;

const RETRY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A first installation creates all tables in well under a second. */
const MIGRATION_TIMEOUT_MS = 10_000;

/** Migrates BullMQ's tables. Rejects when the database is not reachable. */
async function migrate(connectionString: string, onError: (error: unknown) => void): Promise<void> {
  const migration = new Queue(
    'migration',
    {
      connection: {
        connectionString,
        migrate: true,
        // Without a timeout, a server that accepts and never responds would block the migration.
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: MIGRATION_TIMEOUT_MS,
      },
    } as never,
    createPostgresBackend as never,
  );
  migration.on('error', onError);
  try {
    await migration.waitUntilReady();
  } finally {
    await withTimeout(CLOSE_TIMEOUT_MS, 'closing', migration.close()).catch(() => {});
  }
}

/** Connects to PostgreSQL in the background, without a time limit, and creates BullMQ's tables. */
export function openQueueDatabase(connectionString: string, logger: Logger): QueueServer {
  const warn = throttledWarnings(logger, 'the queue database is not reachable');
  const closing = new AbortController();
  const migrated = (async () => {
    for (;;) {
      closing.signal.throwIfAborted();
      try {
        // A queue whose first connection failed never works: each attempt uses a new one.
        return await migrate(connectionString, warn);
      } catch (error) {
        warn(error);
      }
      await pause(RETRY_MS, undefined, { signal: closing.signal });
    }
  })();
  // `ping` reports it.
  migrated.catch(() => {});
  // Each worker keeps one connection of the pool for LISTEN.
  const pool = new pg.Pool({
    connectionString,
    max: 16,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_CONNECTION_TIMEOUT_MS,
    statement_timeout: SILENCE_MS - 1_000,
    keepAlive: true,
    // The queue is disposable. Its commits notify workers under a lock that all of them share, and
    // waiting for the disk under that lock would serialize all events of the system.
    options: `-c search_path=${BULLMQ_SCHEMA} -c synchronous_commit=off`,
  });
  // Every queue and worker adds a listener of its own.
  pool.setMaxListeners(0);
  pool.on('error', throttledWarnings(logger, 'a queue connection was lost'));
  // A connection that only listens sends nothing, and would not notice that it is half-open.
  const { destroyAll } = destroyHalfOpenConnections(pool, SILENCE_MS);
  renewConnectionsWhenReadOnly(pool, logger);
  return {
    options: () => ({ connection: pool as never }),
    backend: createPostgresBackend as never,
    isResponse: (error) => error instanceof pg.DatabaseError,
    async ping() {
      await withTimeout(
        PING_TIMEOUT_MS,
        'SELECT 1',
        migrated.then(() => pool.query('SELECT 1')),
      );
    },
    async close() {
      closing.abort(new Error('the queue is closed'));
      // Ends when every connection is released; during an outage some never are.
      await withTimeout(CLOSE_TIMEOUT_MS, 'closing', pool.end()).catch(() => {});
      destroyAll();
    },
  };
}
