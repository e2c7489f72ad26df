import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MigrationBlocked } from './migration-blocked.ts';

/** A migration of the folder, in Prisma's layout. */
export interface Migration {
  name: string;
  sql: string;
  /** Why the previous release cannot run on its schema; undefined where it can. */
  incompatible: string | undefined;
}

/** A row of Prisma's table of applied migrations. */
export interface MigrationRow {
  migration_name: string;
  checksum: string;
  finished_at: unknown;
  logs: string | null;
}

/** The difference between a folder of migrations and a database. */
export interface MigrationPlan {
  /** The migrations that it lacks, oldest first. */
  pending: Migration[];
  /** The migrations that a newer version of the service has applied, oldest first. */
  newer: string[];
}

const INCOMPATIBLE_COMMENT = /^--[ \t]*incompatible:[ \t]*(\S.*?)\s*$/im;
const INCOMPATIBLE_PREFIX = 'incompatible: ';

/** Reads the migrations, oldest first. Rejects with a sentence when a file is missing. */
export async function readMigrations(migrationsDir: string): Promise<Migration[]> {
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
      return { name, sql, incompatible: INCOMPATIBLE_COMMENT.exec(sql)?.[1] };
    }),
  );
}

/**
 * Compares the migrations of a database with the folder. Throws a sentence when they contradict each
 * other; a database with all migrations of the folder and more belongs to a newer version.
 */
export function planMigrations(
  rows: readonly MigrationRow[],
  migrations: readonly Migration[],
  names: { database: string; folder: string },
): MigrationPlan {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  const newest = migrations.at(-1)?.name;
  const newer: string[] = [];
  for (const row of rows) {
    const name = row.migration_name;
    const migration = byName.get(name);
    if (migration) {
      refuseContradiction(row, migration, names.database);
    } else if (newest !== undefined && name > newest) {
      refuseIncompatible(row, names.database);
      newer.push(name);
    } else if (row.finished_at === null) {
      throw unfinished(name, names.database);
    } else {
      throw new Error(
        `${names.database} has the migration ${name}, which ${basename(names.folder)} does not ` +
          'contain. Start the version that brought it, or a newer one.',
      );
    }
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  const pending = migrations.filter(({ name }) => !applied.has(name));
  const [first] = pending;
  if (first && newer.length > 0) {
    throw new Error(
      `${names.database} lacks the migration ${first.name} and has ${newer.join(', ')}, which ` +
        `${basename(names.folder)} does not contain: neither version is newer than the other. ` +
        'Start a version that contains both.',
    );
  }
  return { pending, newer: newer.sort() };
}

function refuseContradiction(row: MigrationRow, { name, sql }: Migration, database: string): void {
  if (row.finished_at === null) throw unfinished(name, database);
  if (!isChecksumOf(sql, row.checksum)) {
    throw new Error(
      `The migration ${name} was changed after it had been applied to ${database}. ` +
        'Restore its migration.sql, and put the change into a new migration.',
    );
  }
}

function refuseIncompatible({ migration_name, logs }: MigrationRow, database: string): void {
  if (!logs?.startsWith(INCOMPATIBLE_PREFIX)) return;
  throw new Error(
    `${database} has the newer migration ${migration_name}, on which this version cannot run: ` +
      `${logs.slice(INCOMPATIBLE_PREFIX.length)} Start the version that brought it, or a newer one.`,
  );
}

/** The text that keeps older versions from starting on a migration; null when they can run on it. */
export function toIncompatibleLog({ incompatible }: Migration): string | null {
  return incompatible === undefined ? null : `${INCOMPATIBLE_PREFIX}${incompatible}`;
}

/** Throws a sentence when the previous release cannot run on a pending migration that is not allowed. */
export function requireAllowed(pending: readonly Migration[], allowed: readonly string[]) {
  const refused = pending.filter(
    ({ name, incompatible }) => incompatible !== undefined && !allowed.includes(name),
  );
  if (refused.length === 0) return;
  const reasons = refused.map(({ name, incompatible }) => `${name} (${incompatible})`);
  throw new Error(
    `The previous release cannot run on the schema of ${reasons.join(', ')}. Stop all its ` +
      'processes, make a backup, and start with ' +
      `ALLOW_INCOMPATIBLE_MIGRATIONS=${refused.map(({ name }) => name).join(',')}.`,
  );
}

/** Another process may be about to finish it. */
function unfinished(name: string, database: string): MigrationBlocked {
  return new MigrationBlocked(
    'a migration was begun and not finished, see the log',
    `The migration ${name} was begun on ${database} and not finished. ${repairInstructions(name)}`,
  );
}

export function repairInstructions(name: string): string {
  return (
    'Undo by hand what it has done and delete its row from _prisma_migrations ' +
    `(migration_name = '${name}'), or complete it by hand and set the row's finished_at; ` +
    'a waiting service goes on by itself then.'
  );
}

export function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

/** Accepts other line ends, like Prisma: a checkout on Windows may have changed them. */
function isChecksumOf(sql: string, recorded: string): boolean {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sql, unix, unix.replaceAll('\n', '\r\n')].some((text) => checksum(text) === recorded);
}
