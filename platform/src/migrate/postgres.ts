import pg from 'pg';
import { CONNECT_TIMEOUT_MS, type MigrationDatabase, withoutCredentials } from './database.ts';

export async function connectPostgres(url: string): Promise<MigrationDatabase> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'spacerent-migrate',
  });
  // A lost connection fails the statement at hand; without a listener it would end the process.
  client.on('error', () => {});
  await client.connect();

  const database: MigrationDatabase = {
    provider: 'postgresql',
    name: withoutCredentials(url),
    async tryLock() {
      // The key is Prisma's own, so that `prisma migrate deploy` is kept out too.
      const { rows } = await client.query('SELECT pg_try_advisory_lock(72707369) AS locked');
      return rows[0].locked;
    },
    async hasMigrationsTable() {
      const { rows } = await client.query("SELECT to_regclass('_prisma_migrations') AS found");
      return rows[0].found !== null;
    },
    createMigrationsTable: () =>
      database.runScript(`
        CREATE TABLE _prisma_migrations (
            id                      VARCHAR(36) PRIMARY KEY NOT NULL,
            checksum                VARCHAR(64) NOT NULL,
            finished_at             TIMESTAMPTZ,
            migration_name          VARCHAR(255) NOT NULL,
            logs                    TEXT,
            rolled_back_at          TIMESTAMPTZ,
            started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
            applied_steps_count     INTEGER NOT NULL DEFAULT 0
        )`),
    async query<Row>(sql: string, values: (string | Date)[] = []) {
      let position = 0;
      const { rows } = await client.query(
        sql.replaceAll('?', () => `$${++position}`),
        values,
      );
      return rows as Row[];
    },
    async runScript(sql) {
      await client.query(sql).catch(async (error) => {
        // A script with a BEGIN of its own leaves its broken transaction open.
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      });
    },
    // Prisma wraps changes of an enum in BEGIN and COMMIT; that COMMIT would end our transaction.
    canRollBack: (sql) => !/\bCONCURRENTLY\b|^\s*(BEGIN|COMMIT|START TRANSACTION)\s*;/im.test(sql),
    async atomically(work) {
      await client.query('BEGIN');
      try {
        await work();
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
    },
    close: () => client.end(),
  };
  return database;
}
