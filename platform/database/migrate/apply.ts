import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../../observability/logger.ts';
import { describeOutage } from '../outage.ts';
import { LockTimeout, type MigrationDatabase, type Retry } from './database.ts';
import { MigrationBlocked } from './migration-blocked.ts';
import { checksum, type Migration, repairInstructions, toIncompatibleLog } from './migrations.ts';

/** Lets the statements proceed that queued behind the migration while it waited for its lock. */
const RETRY_PAUSE_MS = 1_000;

/** Applies one migration and records it. Rejects with a sentence that says what to do. */
export async function applyMigration(
  database: MigrationDatabase,
  migration: Migration,
  options: { retryForMs: number; log: Pick<Logger, 'warn'> },
): Promise<void> {
  const { name, sql } = migration;
  const id = randomUUID();
  const begin = () =>
    database.query(
      'INSERT INTO _prisma_migrations ' +
        '(id, checksum, migration_name, started_at, applied_steps_count) VALUES (?, ?, ?, ?, 0)',
      [id, checksum(sql), name, new Date()],
    );
  const finish = async () => {
    await database.query(
      'UPDATE _prisma_migrations SET finished_at = ?, applied_steps_count = 1 WHERE id = ?',
      [new Date(), id],
    );
    const logs = toIncompatibleLog(migration);
    if (logs)
      await database.query('UPDATE _prisma_migrations SET logs = ? WHERE id = ?', [logs, id]);
  };
  const retry = retryOnLockTimeout(name, options);

  if (database.canRollBack(sql)) {
    try {
      await retry(() =>
        database.atomically(async () => {
          await begin();
          await database.runScript(sql);
          await finish();
        }),
      );
    } catch (cause) {
      if (cause instanceof LockTimeout) throw blocked(name, cause, options.retryForMs);
      throw new Error(`The migration ${name} failed and was rolled back: ${toMessage(cause)}`, {
        cause,
      });
    }
    return;
  }

  // Prisma's protocol for migrations that cannot be rolled back: a row without `finished_at` is a failed
  // migration, also when the process dies here, and blocks all later ones until an operator acts.
  await begin();
  try {
    await database.runScript(sql, retry);
  } catch (cause) {
    if (isWithoutEffect(cause)) {
      await database.query('DELETE FROM _prisma_migrations WHERE id = ?', [id]);
      throw cause instanceof LockTimeout ? blocked(name, cause, options.retryForMs) : cause;
    }
    const logs = toMessage(cause);
    await database.query('UPDATE _prisma_migrations SET logs = ? WHERE id = ?', [logs, id]);
    throw new MigrationBlocked(
      'a migration failed halfway, see the log',
      `The migration ${name} failed halfway: ${logs} ${repairInstructions(name)}`,
      { cause },
    );
  }
  await finish();
}

/** Did the first statement fail, and only because of a lock, a right, or the state of the server? */
function isWithoutEffect(cause: unknown): boolean {
  const { statementsDone } = cause as { statementsDone?: number };
  return (
    statementsDone === 0 && (cause instanceof LockTimeout || describeOutage(cause) !== undefined)
  );
}

function retryOnLockTimeout(
  migration: string,
  { retryForMs, log }: { retryForMs: number; log: Pick<Logger, 'warn'> },
): Retry {
  const deadline = performance.now() + retryForMs;
  return async (work) => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof LockTimeout)) throw error;
        log.warn({ migration, blockedBy: error.blockedBy }, 'the migration waits for a lock');
        if (performance.now() >= deadline) throw error;
      }
      await pause(RETRY_PAUSE_MS);
    }
  };
}

function blocked(name: string, cause: LockTimeout, retryForMs: number): Error {
  return new MigrationBlocked(
    'a migration waits for a lock that another session has',
    `The migration ${name} was not applied: it could not have its locks within ` +
      `${Math.round(retryForMs / 1_000)} s. Blocked by: ${cause.blockedBy}. Nothing has changed; ` +
      'wait until that is done, or end it.',
    { cause },
  );
}

function toMessage(error: unknown): string {
  // The message of MariaDB's driver repeats the whole script; `sqlMessage` is the server's part of it.
  const { sqlMessage, message } = error as { sqlMessage?: string; message?: string };
  return sqlMessage ?? message ?? String(error);
}
