import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../observability/logger.ts';
import { applyMigration } from './migrate/apply.ts';
import { bounded } from './migrate/bounded.ts';
import type { MigrationDatabase } from './migrate/database.ts';
import { MigrationBlocked } from './migrate/migration-blocked.ts';
import {
  type Migration,
  type MigrationPlan,
  type MigrationRow,
  planMigrations,
  readMigrations,
  requireAllowed,
} from './migrate/migrations.ts';

// Prisma's CLI needs an engine binary that it downloads, and its WASM engine does not know MySQL.
// So the services apply Prisma's migration folders themselves, and keep Prisma's own record of it:
// `prisma migrate deploy` and `prisma migrate status` agree wherever they can be run.

const LOCK_WAIT_MS = 60_000;
const LOCK_POLL_MS = 50;
/** Short: all later statements on the table queue behind one that waits for its lock. */
const LOCK_TIMEOUT_MS = 3_000;
const LOCK_RETRY_MS = 60_000;

/**
 * Brings the database up to the migrations in `migrationsDir` (Prisma's layout) and resolves with
 * the names of those that it applied. Safe to call from several processes at once, of different
 * versions too: one applies, the others wait for it, `lockWaitMs` at most; a database that is newer than
 * the folder is accepted with a warning. Rejects when the database and the folder contradict each
 * other, when a migration on which the previous release cannot run is not in `allowIncompatible`,
 * when a migration cannot acquire its locks within a minute, and when the database is not up: retries
 * are up to the caller, and useful where the error is {@link MigrationBlocked}.
 */
export async function applyMigrations(options: {
  /** `postgresql://…`, `mysql://…` or `file:…`. */
  databaseUrl: string;
  migrationsDir: string;
  /** Names of migrations that are applied although the previous release cannot run on them. */
  allowIncompatible?: readonly string[];
  log: Pick<Logger, 'info' | 'warn'>;
  /** How long another process that is migrating is waited for. */
  lockWaitMs?: number;
  /** How long each statement waits for its locks, and for how long it is tried again. */
  locks?: { timeoutMs: number; retryForMs: number };
}): Promise<string[]> {
  const {
    databaseUrl,
    migrationsDir,
    allowIncompatible = [],
    lockWaitMs = LOCK_WAIT_MS,
    log,
  } = options;
  const { timeoutMs, retryForMs } = options.locks ?? {
    timeoutMs: LOCK_TIMEOUT_MS,
    retryForMs: LOCK_RETRY_MS,
  };
  const migrations = await readMigrations(migrationsDir);
  const database = bounded(await connect(databaseUrl, timeoutMs));
  try {
    await refuseOtherProvider(database, migrationsDir);
    // A process with nothing to apply does not wait for a newer version that is migrating.
    const unlockedPlan = await readPlan(database, migrations, migrationsDir).catch(() => undefined);
    if (unlockedPlan?.pending.length === 0) {
      warnOfNewer(unlockedPlan, database, log);
      return [];
    }
    await lock(database, lockWaitMs);
    if (!(await database.hasMigrationsTable())) await database.createMigrationsTable();
    const plan = await readPlan(database, migrations, migrationsDir);
    warnOfNewer(plan, database, log);
    const isFirstInstallation = plan.pending.length === migrations.length;
    if (!isFirstInstallation) requireAllowed(plan.pending, allowIncompatible);
    for (const migration of plan.pending) {
      const startedAt = performance.now();
      await applyMigration(database, migration, { retryForMs, log });
      const durationMs = Math.round(performance.now() - startedAt);
      log.info({ migration: migration.name, database: database.name, durationMs }, 'migrated');
    }
    return plan.pending.map(({ name }) => name);
  } finally {
    await database.close();
  }
}

/** Loads only the driver for the URL. */
async function connect(databaseUrl: string, lockTimeoutMs: number): Promise<MigrationDatabase> {
  if (/^postgres(ql)?:/.test(databaseUrl)) {
    return (await import('./migrate/postgres.ts')).connectPostgres(databaseUrl, lockTimeoutMs);
  }
  if (/^(mysql|mariadb):/.test(databaseUrl)) {
    return (await import('./migrate/mysql.ts')).connectMysql(databaseUrl, lockTimeoutMs);
  }
  if (databaseUrl.startsWith('file:')) {
    return (await import('./migrate/sqlite.ts')).connectSqlite(databaseUrl);
  }
  throw new Error('A database URL starts with postgresql:, mysql: or file:.');
}

async function refuseOtherProvider(database: MigrationDatabase, migrationsDir: string) {
  const lockFile = await readFile(join(migrationsDir, 'migration_lock.toml'), 'utf8').catch(
    () => '',
  );
  const provider = /^\s*provider\s*=\s*"(\w+)"/m.exec(lockFile)?.[1];
  if (provider && provider !== database.provider) {
    throw new Error(
      `The migrations in ${migrationsDir} are for ${provider}, but ${database.name} is a ` +
        `${database.provider} database.`,
    );
  }
}

/** Polls instead of blocking: a blocked lock statement would block CREATE INDEX CONCURRENTLY. */
async function lock(database: MigrationDatabase, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await database.tryLock())) {
    if (performance.now() > deadline) {
      throw new MigrationBlocked(
        'another process is migrating it',
        `Another process has been migrating ${database.name} for ${waitMs / 1000} s ` +
          `(${await database.lockOwner()}); wait until it is done, or end it.`,
      );
    }
    await pause(LOCK_POLL_MS);
  }
}

async function readPlan(
  database: MigrationDatabase,
  migrations: Migration[],
  migrationsDir: string,
): Promise<MigrationPlan> {
  const rows = await database.query<MigrationRow>(
    'SELECT migration_name, checksum, finished_at, logs FROM _prisma_migrations ' +
      'WHERE rolled_back_at IS NULL ORDER BY started_at',
  );
  return planMigrations(rows, migrations, { database: database.name, folder: migrationsDir });
}

function warnOfNewer(
  { newer }: MigrationPlan,
  database: MigrationDatabase,
  log: Pick<Logger, 'warn'>,
) {
  if (newer.length === 0) return;
  log.warn(
    { migrations: newer, database: database.name },
    'the database is newer than this version, which goes on with it',
  );
}
