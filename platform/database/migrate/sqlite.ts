import { type Client, createClient, type Transaction } from '@libsql/client';
import type { MigrationDatabase } from './database.ts';
import { MigrationBlocked } from './migration-blocked.ts';

export async function connectSqlite(url: string): Promise<MigrationDatabase> {
  const client = openFile(url);
  // Prisma alters a table by copying and dropping it. With foreign keys on, the drop deletes the rows
  // that refer to it, and inside a transaction the script cannot turn them off itself.
  await client.execute('PRAGMA foreign_keys = OFF');
  let transaction: Transaction | undefined;
  const lockedTransaction = () => {
    if (!transaction) throw new Error('SQLite is migrated under its write lock only.');
    return transaction;
  };

  const database: MigrationDatabase = {
    provider: 'sqlite',
    name: url,
    // SQLite's only lock between processes is the write transaction, so everything runs inside one. A
    // migration is a savepoint in it, and `close` commits the migrations that succeeded before a failure.
    async tryLock() {
      try {
        transaction = await client.transaction('write');
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return false;
        throw error;
      }
      // Not before the lock: the driver blocks the whole process while SQLite waits.
      await transaction.execute('PRAGMA busy_timeout = 5000');
      return true;
    },
    lockOwner: async () => 'SQLite does not say which',
    async hasMigrationsTable() {
      const { rows } = await lockedTransaction().execute(
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
      const args = values.map((value) => (value instanceof Date ? toPrismaText(value) : value));
      const { rows } = await (transaction ?? client).execute({ sql, args });
      return rows as Row[];
    },
    runScript: (sql) => lockedTransaction().executeMultiple(sql),
    canRollBack: () => true,
    async atomically(work) {
      await lockedTransaction().execute('SAVEPOINT migration');
      try {
        await work();
        await lockedTransaction().execute('RELEASE migration');
      } catch (error) {
        // Some errors have rolled the transaction back already: then the savepoint does not exist.
        await lockedTransaction()
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

/** The folder may be a volume that is not there yet. */
function openFile(url: string): Client {
  try {
    return createClient({ url });
  } catch (cause) {
    const message = `${url} cannot be opened: ${(cause as Error).message}`;
    throw new MigrationBlocked('its file cannot be opened', message, { cause });
  }
}

/** SQLite has no type for instants; this is how Prisma's libSQL adapter writes them. */
function toPrismaText(instant: Date): string {
  return instant.toISOString().replace('Z', '+00:00');
}
