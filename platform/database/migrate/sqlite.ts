import { createClient, type Transaction } from '@libsql/client';
import type { MigrationDatabase } from './database.ts';

export async function connectSqlite(url: string): Promise<MigrationDatabase> {
  const client = createClient({ url });
  // Prisma's way to alter a table is to copy and drop it. With foreign keys on, the drop deletes
  // the rows that refer to it, and inside a transaction the script cannot turn them off itself.
  await client.execute('PRAGMA foreign_keys = OFF');
  let transaction: Transaction | undefined;
  const locked = () => {
    if (!transaction) throw new Error('SQLite is migrated under its write lock only.');
    return transaction;
  };

  const database: MigrationDatabase = {
    provider: 'sqlite',
    name: url,
    // SQLite's only lock between processes is the write transaction, so all is done inside one;
    // a migration is a savepoint in it, and what succeeded before a failure is committed by close.
    async tryLock() {
      try {
        transaction = await client.transaction('write');
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return false;
        throw error;
      }
      // Only now: the driver blocks the whole process while SQLite waits.
      await transaction.execute('PRAGMA busy_timeout = 5000');
      return true;
    },
    lockOwner: async () => 'SQLite does not say which',
    async hasMigrationsTable() {
      const { rows } = await locked().execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_prisma_migrations'",
      );
      return rows.length > 0;
    },
    createMigrationsTable: () =>
      database.runScript(`CREATE TABLE "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`),
    async query<Row>(sql: string, values: (string | Date)[] = []) {
      const args = values.map((value) => (value instanceof Date ? asPrismaText(value) : value));
      const { rows } = await (transaction ?? client).execute({ sql, args });
      return rows as Row[];
    },
    runScript: (sql) => locked().executeMultiple(sql),
    canRollBack: () => true,
    async atomically(work) {
      await locked().execute('SAVEPOINT migration');
      try {
        await work();
        await locked().execute('RELEASE migration');
      } catch (error) {
        // Some errors have rolled all of it back already: then there is nothing to go back to.
        await locked()
          .executeMultiple('ROLLBACK TO migration; RELEASE migration')
          .catch(() => {});
        throw error;
      }
    },
    async close() {
      try {
        if (transaction && !transaction.closed) await transaction.commit();
      } finally {
        client.close();
      }
    },
  };
  return database;
}

/** SQLite has no type for instants; this is how Prisma's libSQL adapter writes them. */
function asPrismaText(instant: Date): string {
  return instant.toISOString().replace('Z', '+00:00');
}
