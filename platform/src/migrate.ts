import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from './logger.ts';
import type { MigrationDatabase } from './migrate/database.ts';

// Prisma's CLI needs an engine binary that it downloads, and its WASM engine does not know MySQL.
// So the services apply Prisma's migration folders themselves, and keep Prisma's own record of it:
// `prisma migrate deploy` and `prisma migrate status` agree wherever they can be run.

const LOCK_WAIT_MS = 60_000;
const LOCK_POLL_MS = 50;

interface Migration {
  name: string;
  sql: string;
}

interface MigrationRow {
  migration_name: string;
  checksum: string;
  finished_at: unknown;
}

/**
 * Brings the database up to the migrations in `migrationsDir` (Prisma's layout) and resolves with
 * the names of those that it applied. Safe to call from several processes at once: one applies, the
 * others wait for it, 60 s at most. Rejects, with nothing changed, when the database and the
 * folder contradict each other; rejects too when the database is not up: retrying is the caller's.
 */
export async function applyMigrations(options: {
  /** `postgresql://…`, `mysql://…` or `file:…`. */
  databaseUrl: string;
  migrationsDir: string;
  log: Pick<Logger, 'info'>;
}): Promise<string[]> {
  const { databaseUrl, migrationsDir, log } = options;
  const migrations = await readMigrations(migrationsDir);
  const database = await connect(databaseUrl);
  try {
    await refuseOtherProvider(database, migrationsDir);
    await lock(database);
    const pending = await findPending(database, migrations, migrationsDir);
    for (const migration of pending) {
      const startedAt = performance.now();
      await applyOne(database, migration);
      const durationMs = Math.round(performance.now() - startedAt);
      log.info({ migration: migration.name, database: database.name, durationMs }, 'migrated');
    }
    return pending.map(({ name }) => name);
  } finally {
    await database.close();
  }
}

/** Loads only the driver that the URL asks for. */
async function connect(databaseUrl: string): Promise<MigrationDatabase> {
  if (/^postgres(ql)?:/.test(databaseUrl)) {
    return (await import('./migrate/postgres.ts')).connectPostgres(databaseUrl);
  }
  if (/^(mysql|mariadb):/.test(databaseUrl)) {
    return (await import('./migrate/mysql.ts')).connectMysql(databaseUrl);
  }
  if (databaseUrl.startsWith('file:')) {
    return (await import('./migrate/sqlite.ts')).connectSqlite(databaseUrl);
  }
  throw new Error('A database URL starts with postgresql:, mysql: or file:.');
}

async function readMigrations(migrationsDir: string): Promise<Migration[]> {
  const entries = await readdir(migrationsDir, { withFileTypes: true }).catch((cause) => {
    throw new Error(`The migrations folder ${migrationsDir} cannot be read.`, { cause });
  });
  // The names start with a timestamp, so their order is the order of the migrations.
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(migrationsDir, name, 'migration.sql');
      const sql = await readFile(path, 'utf8').catch((cause) => {
        throw new Error(`The migration ${name} has no readable ${path}.`, { cause });
      });
      return { name, sql };
    }),
  );
}

async function refuseOtherProvider(database: MigrationDatabase, migrationsDir: string) {
  const lockFile = await readFile(join(migrationsDir, 'migration_lock.toml'), 'utf8').catch(
    () => '',
  );
  const written = /^\s*provider\s*=\s*"(\w+)"/m.exec(lockFile)?.[1];
  if (written && written !== database.provider) {
    throw new Error(
      `The migrations in ${migrationsDir} are for ${written}, but ${database.name} is a ` +
        `${database.provider} database.`,
    );
  }
}

/** Polls instead of blocking: a blocked lock statement would hold up CREATE INDEX CONCURRENTLY. */
async function lock(database: MigrationDatabase): Promise<void> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  while (!(await database.tryLock())) {
    if (performance.now() > deadline) {
      throw new Error(
        `Another process has been migrating ${database.name} for ${LOCK_WAIT_MS / 1000} s; ` +
          'wait until it is done, or end it, and start again.',
      );
    }
    await pause(LOCK_POLL_MS);
  }
}

/** The migrations that are still to be applied; refuses a database that the folder contradicts. */
async function findPending(
  database: MigrationDatabase,
  migrations: Migration[],
  migrationsDir: string,
): Promise<Migration[]> {
  if (!(await database.hasMigrationsTable())) await database.createMigrationsTable();
  const rows = await database.query<MigrationRow>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations ' +
      'WHERE rolled_back_at IS NULL ORDER BY started_at',
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of rows) {
    const name = row.migration_name;
    const migration = known.get(name);
    if (row.finished_at === null) {
      throw new Error(
        `The migration ${name} was begun on ${database.name} and not finished. ${wayOut(name)}`,
      );
    }
    if (!migration) {
      throw new Error(
        `${database.name} has the migration ${name}, which ${basename(migrationsDir)} does not ` +
          'contain. Start the version that brought it, or a newer one.',
      );
    }
    if (!isChecksumOf(migration.sql, row.checksum)) {
      throw new Error(
        `The migration ${name} was changed after it had been applied to ${database.name}. ` +
          'Restore its migration.sql, and put the change into a new migration.',
      );
    }
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  return migrations.filter(({ name }) => !applied.has(name));
}

async function applyOne(database: MigrationDatabase, { name, sql }: Migration): Promise<void> {
  const id = randomUUID();
  const begin = () =>
    database.query(
      'INSERT INTO _prisma_migrations ' +
        '(id, checksum, migration_name, started_at, applied_steps_count) VALUES (?, ?, ?, ?, 0)',
      [id, checksum(sql), name, new Date()],
    );
  const finish = () =>
    database.query(
      'UPDATE _prisma_migrations SET finished_at = ?, applied_steps_count = 1 WHERE id = ?',
      [new Date(), id],
    );

  if (database.canRollBack(sql)) {
    try {
      await database.atomically(async () => {
        await begin();
        await database.runScript(sql);
        await finish();
      });
    } catch (cause) {
      throw new Error(`The migration ${name} failed and was rolled back: ${messageOf(cause)}`, {
        cause,
      });
    }
    return;
  }

  // Prisma's protocol for what cannot be rolled back: a row without an end is a failed migration,
  // also when the process dies here, and nobody goes on from it unasked.
  await begin();
  try {
    await database.runScript(sql);
  } catch (cause) {
    const logs = messageOf(cause);
    await database.query('UPDATE _prisma_migrations SET logs = ? WHERE id = ?', [logs, id]);
    throw new Error(`The migration ${name} failed halfway: ${logs} ${wayOut(name)}`, { cause });
  }
  await finish();
}

function wayOut(name: string): string {
  return (
    'Undo by hand what it has done and delete its row from _prisma_migrations ' +
    `(migration_name = '${name}'), or complete it by hand and set the row's finished_at; ` +
    'then start again.'
  );
}

function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

/** Like Prisma, takes no offence at line ends: a checkout on Windows may have changed them. */
function isChecksumOf(sql: string, recorded: string): boolean {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sql, unix, unix.replaceAll('\n', '\r\n')].some((text) => checksum(text) === recorded);
}

function messageOf(error: unknown): string {
  // The message of MariaDB's driver repeats the whole script; this is the server's part of it.
  const { sqlMessage, message } = error as { sqlMessage?: string; message?: string };
  return sqlMessage ?? message ?? String(error);
}
