import mariadb from 'mariadb';
import { CONNECT_TIMEOUT_MS, type MigrationDatabase, withoutCredentials } from './database.ts';

export async function connectMysql(url: string): Promise<MigrationDatabase> {
  const address = new URL(url.replace(/^mysql:/, 'mariadb:'));
  address.searchParams.set('multipleStatements', 'true');
  address.searchParams.set('timezone', 'Z'); // Prisma's instants are in UTC.
  address.searchParams.set('connectTimeout', String(CONNECT_TIMEOUT_MS));
  const connection = await mariadb.createConnection(address.href);
  connection.on('error', () => {});

  return {
    provider: 'mysql',
    name: withoutCredentials(url),
    async tryLock() {
      const [row] = await connection.query("SELECT GET_LOCK('prisma_migrate', 0) AS locked");
      return Number(row.locked) === 1;
    },
    async hasMigrationsTable() {
      const rows = await connection.query(
        'SELECT 1 FROM information_schema.tables ' +
          "WHERE table_schema = DATABASE() AND table_name = '_prisma_migrations'",
      );
      return rows.length > 0;
    },
    async createMigrationsTable() {
      await connection.query(`
        CREATE TABLE _prisma_migrations (
            id                      VARCHAR(36) PRIMARY KEY NOT NULL,
            checksum                VARCHAR(64) NOT NULL,
            finished_at             DATETIME(3),
            migration_name          VARCHAR(255) NOT NULL,
            logs                    TEXT,
            rolled_back_at          DATETIME(3),
            started_at              DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
            applied_steps_count     INTEGER UNSIGNED NOT NULL DEFAULT 0
        ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
    },
    query: (sql, values) => connection.query(sql, values),
    async runScript(sql) {
      await connection.query(sql);
    },
    canRollBack: () => false, // Every DDL statement commits.
    atomically: (work) => work(),
    close: () => connection.end(),
  };
}
