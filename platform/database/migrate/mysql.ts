import mariadb, { type Connection } from 'mariadb';
import { withTimeout } from '../../lifecycle/timeout.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  LockTimeout,
  type MigrationDatabase,
  type Retry,
  withoutCredentials,
} from './database.ts';
import { isCompound, splitStatements } from './mysql-statements.ts';

const LOCK_NAME = 'prisma_migrate';
const LOCK_ERRORS = new Set(['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK']);

/** Every statement fails after it has waited for a lock for `lockTimeoutMs`, rounded up to seconds. */
export async function connectMysql(url: string, lockTimeoutMs: number): Promise<MigrationDatabase> {
  const address = new URL(url.replace(/^mysql:/, 'mariadb:'));
  address.searchParams.set('multipleStatements', 'true');
  address.searchParams.set('timezone', 'Z'); // Prisma's instants are in UTC.
  address.searchParams.set('connectTimeout', String(CONNECT_TIMEOUT_MS));
  const connection = await mariadb.createConnection(address.href);
  connection.on('error', () => {});
  const seconds = Math.ceil(lockTimeoutMs / 1_000);
  await connection.query(
    `SET SESSION lock_wait_timeout = ${seconds}, SESSION innodb_lock_wait_timeout = ${seconds}`,
  );

  const database: MigrationDatabase = {
    provider: 'mysql',
    name: withoutCredentials(url),
    async tryLock() {
      const [row] = await connection.query(`SELECT GET_LOCK('${LOCK_NAME}', 0) AS locked`);
      return Number(row.locked) === 1;
    },
    async lockOwner() {
      const [row] = await connection.query(`SELECT IS_USED_LOCK('${LOCK_NAME}') AS id`);
      return row.id === null ? 'it has just ended' : `connection ${row.id}`;
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
    async runScript(sql, retry: Retry = (work) => work()) {
      // One by one: a statement that is in effect must not be retried.
      if (isCompound(sql)) return void (await connection.query(sql));
      for (const [done, statement] of splitStatements(sql).entries()) {
        await retry(() =>
          connection.query(statement).catch(async (error: { code?: string }) => {
            if (!LOCK_ERRORS.has(error.code ?? ''))
              throw Object.assign(error, { statementsDone: done });
            throw new LockTimeout(await describeBlockers(connection), done, error);
          }),
        );
      }
    },
    canRollBack: () => false, // Every DDL statement commits.
    atomically: (work) => work(),
    close: () => withTimeout(CLOSE_TIMEOUT_MS, 'closing', connection.end()).catch(() => {}),
  };
  return database;
}

/** The open transactions; without the privilege to read them, the sessions of the database. */
async function describeBlockers(connection: Connection): Promise<string> {
  type Row = { id: number; user: string; seconds: number };
  const sessions = await connection
    .query<Row[]>(
      `SELECT trx_mysql_thread_id AS id, p.USER AS user,
              TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS seconds
         FROM information_schema.INNODB_TRX
         JOIN information_schema.PROCESSLIST p ON p.ID = trx_mysql_thread_id
        WHERE p.DB = DATABASE() AND p.ID <> CONNECTION_ID() ORDER BY seconds DESC LIMIT 5`,
    )
    .catch(() => []);
  if (sessions.length > 0) {
    const descriptions = sessions.map(
      ({ id, user, seconds }) => `connection ${id} (${user}, its transaction is ${seconds} s old)`,
    );
    return descriptions.join(', ');
  }
  const others = await connection
    .query<Row[]>(
      `SELECT ID AS id, USER AS user, TIME AS seconds FROM information_schema.PROCESSLIST
        WHERE DB = DATABASE() AND ID <> CONNECTION_ID() ORDER BY TIME DESC LIMIT 5`,
    )
    .catch(() => []);
  const list = others.map(({ id, user }) => `${id} (${user})`).join(', ');
  return list ? `one of the connections ${list}` : 'a session that may not be seen';
}
