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

/** How long a statement waits for a lock that another process holds; the process waits with it. */
const BUSY_MS = 1_000;

/**
 * Prisma's adapter on one connection to a SQLite file. The libSQL client gives every transaction a
 * connection of its own, which lives until it is garbage: one whose COMMIT failed keeps its lock till
 * then, and each begins without our settings. One connection is enough, because the adapter lets one
 * transaction or statement through at a time.
 */
export class OneConnectionLibSql extends PrismaLibSql {
  override createClient(config: Config): Client {
    const client = createClient({ ...config, timeout: BUSY_MS });
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
        // The client leaves a refused statement open, and with it no transaction can be committed.
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
      // Asks for the write lock first: a transaction that has read already could not wait for it.
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
