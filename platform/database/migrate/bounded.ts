import { withTimeout } from '../../lifecycle/timeout.ts';
import type { MigrationDatabase } from './database.ts';
import { MigrationBlocked } from './migration-blocked.ts';

/** Far more than a statement about the record of the migrations takes, lock timeout included. */
const STATEMENT_TIMEOUT_MS = 15_000;

/**
 * Rejects statements about the record of the migrations that get no response: TCP notices a connection
 * that a failover left half open only after minutes. Scripts may run as long as they need.
 */
export function bounded(database: MigrationDatabase): MigrationDatabase {
  const within = <T>(work: Promise<T>): Promise<T> => {
    const waiting = withTimeout(STATEMENT_TIMEOUT_MS, 'a statement', work);
    return waiting.catch((error: Error) => {
      if (!error.message.startsWith('a statement took longer')) throw error;
      const message = `${database.name} did not respond within ${STATEMENT_TIMEOUT_MS / 1_000} s.`;
      throw new MigrationBlocked('it does not respond', message, { cause: error });
    });
  };
  return {
    ...database,
    tryLock: () => within(database.tryLock()),
    lockOwner: () => within(database.lockOwner()),
    hasMigrationsTable: () => within(database.hasMigrationsTable()),
    createMigrationsTable: () => within(database.createMigrationsTable()),
    query: <Row>(sql: string, values?: (string | Date)[]) =>
      within(database.query<Row>(sql, values)),
  };
}
