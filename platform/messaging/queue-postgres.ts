import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresBackend, Queue } from 'bullmq';
import pg from 'pg';
import { boundSilence, leaveReadOnlyServer } from '../database/postgres.ts';
import type { Logger } from '../observability/logger.ts';
import { PING_MS, type QueueServer, sparingWarnings, within } from './queue-server.ts';

/** Where BullMQ keeps its tables on PostgreSQL. */
const BULLMQ_SCHEMA = 'bullmq';
const SILENCE_MS = 6_000;
const CLOSE_MS = 2_000;

const RETRY_MS = 1_000;
const CONNECT_MS = 5_000;
/** A first installation makes all tables in well under a second. */
const MIGRATION_STATEMENT_MS = 10_000;

/** Brings BullMQ's tables up to date. Rejects when the database is not there. */
async function migrate(connectionString: string, onError: (error: unknown) => void): Promise<void> {
  const migration = new Queue(
    'migration',
    {
      connection: {
        connectionString,
        migrate: true,
        // A server that accepts and stays silent would otherwise hold the first contact up for ever.
        connectionTimeoutMillis: CONNECT_MS,
        query_timeout: MIGRATION_STATEMENT_MS,
      },
    } as never,
    createPostgresBackend as never,
  );
  migration.on('error', onError);
  try {
    await migration.waitUntilReady();
  } finally {
    await within(CLOSE_MS, 'closing', migration.close()).catch(() => {});
  }
}

/** Connects to PostgreSQL in the background, for as long as it takes, and makes BullMQ's tables. */
export function openQueueDatabase(connectionString: string, logger: Logger): QueueServer {
  const warn = sparingWarnings(logger, 'the queue database is not reachable');
  const closing = new AbortController();
  const migrated = (async () => {
    for (;;) {
      closing.signal.throwIfAborted();
      try {
        // A queue whose first contact failed fails for ever: each attempt is a new one.
        return await migrate(connectionString, warn);
      } catch (error) {
        warn(error);
      }
      await pause(RETRY_MS, undefined, { signal: closing.signal });
    }
  })();
  // Whoever needs it learns by the ping.
  migrated.catch(() => {});
  // Each worker keeps one connection of the pool for LISTEN.
  const pool = new pg.Pool({
    connectionString,
    max: 16,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: SILENCE_MS - 1_000,
    keepAlive: true,
    // The queue is disposable. Its commits notify workers under a lock that all of them share, and
    // waiting for the disk under that lock would make every event of the system wait in turn.
    options: `-c search_path=${BULLMQ_SCHEMA} -c synchronous_commit=off`,
  });
  // Every queue and worker adds a listener of its own.
  pool.setMaxListeners(0);
  pool.on('error', sparingWarnings(logger, 'a queue connection was lost'));
  // Who listens asks nothing and would not notice that nobody is there: hence the heartbeat.
  const { destroyAll } = boundSilence(pool, SILENCE_MS, { heartbeat: true });
  leaveReadOnlyServer(pool, logger);
  return {
    options: { connection: pool as never },
    backend: createPostgresBackend as never,
    isAnswer: (error) => error instanceof pg.DatabaseError,
    async ping() {
      await within(
        PING_MS,
        'SELECT 1',
        migrated.then(() => pool.query('SELECT 1')),
      );
    },
    async close() {
      closing.abort(new Error('the queue is closed'));
      // Ends when every connection was given back; during an outage some never are.
      await within(CLOSE_MS, 'closing', pool.end()).catch(() => {});
      destroyAll();
    },
  };
}
