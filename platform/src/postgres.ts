import pg from 'pg';
import type { Logger } from './logger.ts';

export type Pool = pg.Pool;
export type Queryable = Pick<pg.Pool, 'query'>;

/** A connection pool that survives the loss of any connection; Prisma and raw statements share it. */
export function openPostgres(connectionString: string, logger: Logger, max = 12): Pool {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 15_000,
    keepAlive: true,
  });
  // Without a listener an idle connection's end would end the process.
  pool.on('error', (error) => logger.warn({ err: error }, 'a database connection was lost'));
  return pool;
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
