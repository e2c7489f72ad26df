import type { Socket } from 'node:net';
import pg from 'pg';
import type { Logger } from '../observability/logger.ts';

export type Pool = pg.Pool;
export type Queryable = Pick<pg.Pool, 'query'>;

const STATEMENT_MS = 15_000;
/** Longer than the server lets a statement run: then it is the connection that is at fault. */
const SILENCE_MS = 20_000;

/**
 * Two replicas of three contexts stay below PostgreSQL's default of 100 connections:
 * 6 × (8 for requests + 5 for workers + 1 for the probe) = 84.
 */
const REQUEST_CONNECTIONS = 8;
const WORKER_CONNECTIONS = 5;

/** One context's database. Neither of the two pools can use up the connections of the other. */
export interface Database {
  /** For what somebody waits for. */
  requests: Pool;
  /** For consumers, relay, sweepers and archiving. */
  workers: Pool;
  /** Ends every connection; those in use first finish what they do. */
  close(): Promise<void>;
}

export function openDatabase(connectionString: string, logger: Logger): Database {
  const requests = openPostgres(connectionString, logger, REQUEST_CONNECTIONS);
  const workers = openPostgres(connectionString, logger, WORKER_CONNECTIONS);
  return {
    requests,
    workers,
    close: async () => void (await Promise.all([requests.end(), workers.end()])),
  };
}

/** A connection pool that survives the loss of any connection; Prisma and raw statements share it. */
export function openPostgres(connectionString: string, logger: Logger, max = 12): Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
  });
  // Without a listener an idle connection's end would end the process.
  pool.on('error', (error) => logger.warn({ err: error }, 'a database connection was lost'));
  boundSilence(pool, SILENCE_MS);
  leaveReadOnlyServer(pool, logger);
  return pool;
}

const READ_ONLY_SQL_TRANSACTION = '25006';
/** Where writes stay impossible, reconnecting for each of them would be of no use. */
const LEAVE_EVERY_MS = 1_000;

/**
 * Drops a pool's connections when its server says that it is read-only: after a failover they lead
 * to what is a replica now, and new ones to the new primary. Statements under way may finish.
 */
export function leaveReadOnlyServer(pool: Pool, logger: Logger): void {
  const open = new Set<pg.PoolClient>();
  const stale = new WeakSet<pg.PoolClient>();
  let leftAt = Number.NEGATIVE_INFINITY;

  function leave(): void {
    if (performance.now() - leftAt < LEAVE_EVERY_MS) return;
    leftAt = performance.now();
    logger.warn({ connections: open.size }, 'the database is read-only: connections are renewed');
    for (const client of open) stale.add(client);
    // Idle ones are ended as the others are: when they are given back.
    for (let idle = pool.idleCount; idle > 0; idle -= 1) {
      pool.connect().then(
        (client) => client.release(),
        () => {},
      );
    }
  }

  pool.on('connect', (client) => {
    open.add(client);
    client.once('end', () => open.delete(client));
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
    connection.on('errorMessage', ({ code }: { code?: string }) => {
      if (code === READ_ONLY_SQL_TRANSACTION) leave();
    });
  });
  // Before the pool takes it back: it keeps none that is ending.
  pool.on('release', (_error, client) => {
    if (stale.has(client)) void (client as unknown as pg.Client).end().catch(() => {});
  });
}

/** What pg keeps of a connection; its `query_timeout` leaves a dead connection in the pool. */
interface Connection {
  connection: { stream: Socket };
  readyForQuery: boolean;
  _ending: boolean;
}

/**
 * Destroys connections whose server owes an answer and has been silent for `silenceMs`: half-open
 * ones, which neither the server's timeouts nor TCP notice. What waited for them is rejected. With
 * `heartbeat`, a connection on which nobody asks anything is asked as often.
 */
export function boundSilence(
  pool: Pool,
  silenceMs: number,
  { heartbeat = false } = {},
): { destroyAll(): void } {
  const heardAt = new Map<Connection, number>();
  pool.on('connect', (client) => {
    const one = client as unknown as Connection;
    const { stream } = one.connection;
    const hear = () => heardAt.set(one, Date.now());
    hear();
    stream.on('data', hear);
    stream.on('close', () => heardAt.delete(one));
    // Its end between two statements of a transaction reaches nobody else, and would end the process.
    client.on('error', () => {});
    stream.setTimeout(silenceMs);
    stream.on('timeout', () => {
      if (one.readyForQuery && !one._ending) {
        if (heartbeat) client.query('SELECT 1').catch(() => {});
        return;
      }
      const silence = new Error(`PostgreSQL was silent for ${silenceMs} ms`);
      stream.destroy(silence);
      // Idle ones that are as old are likely to be as dead; each would cost another caller as much.
      for (const [other, at] of heardAt) {
        const idle = other.readyForQuery && Date.now() - at >= silenceMs;
        if (idle) other.connection.stream.destroy(silence);
      }
    });
  });
  return {
    destroyAll() {
      for (const { connection } of heardAt.keys()) connection.stream.destroy();
    },
  };
}

/**
 * A typed raw statement, planned once per connection under its name. Returns the rows.
 * For the hot path, where Prisma's client costs three times as much; the rest goes through Prisma.
 */
export function statement<Row extends pg.QueryResultRow>(name: string, text: string) {
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> =>
    (await db.query<Row>({ name, text, values })).rows;
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((lost: Error) => {
      broken = lost;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
