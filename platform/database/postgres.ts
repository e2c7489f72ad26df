import type { Socket } from 'node:net';
import pg from 'pg';
import type { Logger } from '../observability/logger.ts';
import { inChildSpan, type SpanOptions } from '../tracing/tracing.ts';

export type Pool = pg.Pool;
export type Queryable = Pick<pg.Pool, 'query'>;

/**
 * For a new connection, and for one of a pool whose connections are all in use. The router waits for 10 s by default
 * (SUBGRAPH_TIMEOUT_MS): so it still learns the reason, unless the request has waited before.
 */
const CONNECTION_TIMEOUT_MS = 8_000;
const STATEMENT_TIMEOUT_MS = 15_000;
/**
 * A new connection costs the server 16 ms of CPU and its first statements up to 50 ms more, an idle one a few MB of
 * memory. With pg's default of 10 s, a load that comes and goes would open and close connections all the time.
 */
export const IDLE_CONNECTION_TIMEOUT_MS = 60_000;
/** Longer than the statement timeout: so only a broken connection is silent for this long. */
const SILENCE_MS = 20_000;

/**
 * Two replicas of three contexts stay below PostgreSQL's default of 100 connections:
 * 6 × (8 for requests + 5 for workers + 1 for the probe) = 84.
 */
const REQUEST_CONNECTIONS = 8;
const WORKER_CONNECTIONS = 5;

/** One context's database. Each of the two pools has its own connections. */
export interface Database {
  /** For requests, whose clients wait for the response. */
  requests: Pool;
  /** For consumers, relay, periodic jobs and archiving. */
  workers: Pool;
  /** Ends every connection, after the statements or transactions that run on it. */
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
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_CONNECTION_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
  });
  // Without a listener an idle connection's end would end the process.
  pool.on('error', (error) => logger.warn({ err: error }, 'a database connection was lost'));
  destroyHalfOpenConnections(pool, SILENCE_MS);
  renewConnectionsWhenReadOnly(pool, logger);
  return pool;
}

const READ_ONLY_SQL_TRANSACTION = '25006';
/** At most one renewal per interval: while no primary is reachable, renewals for each write are useless. */
const RENEW_EVERY_MS = 1_000;

/**
 * Ends a pool's connections when its server reports that it is read-only: after a failover they lead to
 * a replica, and new ones to the new primary. Running statements may finish.
 */
export function renewConnectionsWhenReadOnly(pool: Pool, logger: Logger): void {
  const open = new Set<pg.PoolClient>();
  const stale = new WeakSet<pg.PoolClient>();
  let renewedAt = Number.NEGATIVE_INFINITY;

  function renew(): void {
    if (performance.now() - renewedAt < RENEW_EVERY_MS) return;
    renewedAt = performance.now();
    logger.warn({ connections: open.size }, 'the database is read-only: connections are renewed');
    for (const client of open) stale.add(client);
    // Idle ones are ended like the others: on release.
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
      if (code === READ_ONLY_SQL_TRANSACTION) renew();
    });
  });
  // The event precedes the return to the pool, which does not keep a connection that is ending.
  pool.on('release', (_error, client) => {
    if (stale.has(client)) void (client as unknown as pg.Client).end().catch(() => {});
  });
}

/** Internal fields of pg's client; its `query_timeout` would leave a dead connection in the pool. */
interface Connection {
  connection: { stream: Socket };
  readyForQuery: boolean;
  _ending: boolean;
}

/**
 * Destroys connections on which a response is due and no data arrived for `silenceMs`: half-open ones,
 * which neither the server's timeouts nor TCP detect. Their queries are rejected. An idle connection is queried
 * after as long, so that no request takes one that is lost.
 */
export function destroyHalfOpenConnections(pool: Pool, silenceMs: number): { destroyAll(): void } {
  const receivedAt = new Map<Connection, number>();
  /** Idle ones that were queried, and have not responded yet. */
  const queried = new Set<Connection>();
  pool.on('connect', (client) => {
    const one = client as unknown as Connection;
    const { stream } = one.connection;
    const update = () => receivedAt.set(one, Date.now());
    update();
    stream.on('data', update);
    stream.on('close', () => receivedAt.delete(one));
    // Between two statements of a transaction there is no other listener: its end would end the process.
    client.on('error', () => {});
    stream.setTimeout(silenceMs);
    stream.on('timeout', () => {
      if (one.readyForQuery && !one._ending) {
        queried.add(one);
        const end = () => queried.delete(one);
        client.query('SELECT 1').then(end, end);
        return;
      }
      const silence = new Error(`PostgreSQL was silent for ${silenceMs} ms`);
      stream.destroy(silence);
      // Idle connections that are silent for as long are probably dead too, and would each block a query.
      for (const [other, at] of receivedAt) {
        const idle = other.readyForQuery || queried.has(other);
        if (idle && Date.now() - at >= silenceMs) other.connection.stream.destroy(silence);
      }
    });
  });
  return {
    destroyAll() {
      for (const { connection } of receivedAt.keys()) connection.stream.destroy();
    },
  };
}

/**
 * A typed raw statement, planned once per connection under its name. Returns the rows. For the hot path,
 * where Prisma's client costs three times as much.
 */
export function statement<Row extends pg.QueryResultRow>(name: string, text: string) {
  return async (db: Queryable, ...values: unknown[]): Promise<Row[]> => {
    const query = () => db.query<Row>({ name, text, values });
    return (await inChildSpan(name, SPAN, query, isFailure)).rows;
  };
}

const SPAN: SpanOptions = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } };

/** A violated constraint is the database's decision: the slot is occupied, the key was used. */
function isFailure(error: unknown): boolean {
  return !String((error as { code?: unknown }).code).startsWith('23');
}

/** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
export function inTransaction<T>(
  pool: Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return inChildSpan('transaction', SPAN, () => transact(pool, work), isFailure);
}

async function transact<T>(pool: Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
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
