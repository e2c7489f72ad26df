import { createPostgresBackend, Queue } from 'bullmq';
import pg from 'pg';
import type { Logger } from './logger.ts';
import { boundSilence } from './postgres.ts';
import { PING_MS, type QueueServer, sparingWarnings, within } from './queue-server.ts';

/** Where BullMQ keeps its tables on PostgreSQL. */
const BULLMQ_SCHEMA = 'bullmq';
const SILENCE_MS = 6_000;
const CLOSE_MS = 2_000;

/** Connects to PostgreSQL and brings BullMQ's tables up to date. Rejects when it is not there. */
export async function openQueueDatabase(
  connectionString: string,
  logger: Logger,
): Promise<QueueServer> {
  const migration = new Queue(
    'migration',
    { connection: { connectionString, migrate: true } } as never,
    createPostgresBackend as never,
  );
  migration.on('error', (error) => logger.warn({ err: error }, 'queue error'));
  await migration.waitUntilReady();
  await migration.close();
  // Each worker keeps one connection of the pool for LISTEN.
  const pool = new pg.Pool({
    connectionString,
    max: 16,
    connectionTimeoutMillis: 5_000,
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
  return {
    options: { connection: pool as never },
    backend: createPostgresBackend as never,
    isAnswer: (error) => error instanceof pg.DatabaseError,
    ping: async () => void (await within(PING_MS, 'SELECT 1', pool.query('SELECT 1'))),
    async close() {
      // Ends when every connection was given back; during an outage some never are.
      await within(CLOSE_MS, 'closing', pool.end()).catch(() => {});
      destroyAll();
    },
  };
}
