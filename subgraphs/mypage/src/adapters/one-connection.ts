import {
  type Client,
  createClient,
  type InStatement,
  type ResultSet,
  type Transaction,
} from '@libsql/client';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { RetryLater } from '#platform/messaging/failures.ts';

type Config = Parameters<typeof createClient>[0];

/** How long a statement waits for another process's lock; it blocks this process meanwhile. */
const LOCK_TIMEOUT_MS = 1_000;

/**
 * Prisma's adapter on one connection to a SQLite file. The libSQL client opens a connection for every
 * transaction and closes it by garbage collection: one whose COMMIT failed keeps its lock until then, and
 * each lacks our settings. One connection is enough, because the adapter runs one transaction or statement
 * at a time.
 */
export class OneConnectionLibSql extends PrismaLibSql {
  override createClient(config: Config): Client {
    const client = createClient({ ...config, timeout: LOCK_TIMEOUT_MS });
    const run: (statement: InStatement) => Promise<ResultSet> = client.execute.bind(client);
    let connection = 0;
    let isSet = false;

    async function execute(statement: InStatement): Promise<ResultSet> {
      try {
        if (!isSet) {
          // A commit is on disk when it returns.
          await run('PRAGMA synchronous = FULL');
          isSet = true;
        }
        return await run(statement);
      } catch (error) {
        // The client leaves a refused statement open, which blocks every later COMMIT.
        if (isBusy(error)) await renew();
        throw error;
      }
    }

    async function renew(): Promise<void> {
      connection += 1;
      isSet = false;
      await client.reconnect();
    }

    client.execute = execute as Client['execute'];
    client.transaction = async () => {
      // Acquires the write lock first: SQLite refuses it at once to a transaction that has read.
      await execute('BEGIN IMMEDIATE');
      const own = connection;
      const within = <T>(work: () => Promise<T>): Promise<T> => {
        if (own === connection) return work();
        return Promise.reject(new RetryLater('the transaction is lost with its connection'));
      };
      const end = (statement: string) =>
        within(async () => {
          await execute(statement).catch(async (error) => {
            if (own === connection) await renew();
            throw error;
          });
        });
      return {
        execute: (statement: InStatement) => within(() => execute(statement)),
        batch: (statements) => within(() => client.batch(statements)),
        executeMultiple: (sql) => within(() => client.executeMultiple(sql)),
        commit: () => end('COMMIT'),
        rollback: () => end('ROLLBACK'),
        close: () => void renew(),
        get closed() {
          return own !== connection;
        },
      } as Transaction;
    };
    return client;
  }
}

function isBusy(error: unknown): boolean {
  return String((error as { code?: string }).code).startsWith('SQLITE_BUSY');
}
