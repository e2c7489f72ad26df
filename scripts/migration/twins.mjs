import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  queryMariadb,
  querySqlite,
  withScratchMariadb,
  withScratchSqlite,
} from './scratch-databases.mjs';

/**
 * Whether each column can be NULL, by table and column; undefined where the text does not say.
 *
 * @typedef {Map<string, boolean | undefined>} Columns
 */

const log = { info: () => {}, warn: () => {} };

/**
 * What differs between the SQLite migrations and their hand-written MySQL twins, as sentences.
 * With a server: the columns and whether they take NULL; without: the columns that the text names.
 *
 * @param {{ name: string, migrations: string, twin: string }} context
 * @param {string | undefined} mariadbUrl
 * @returns {Promise<string[]>}
 */
export async function compareTwins({ name, migrations, twin }, mariadbUrl) {
  if (!existsSync(twin)) return [`${name} has no MySQL migrations.`];
  const sqlite = await withScratchSqlite(async (databaseUrl) => {
    const { applyMigrations } = await import('#platform/database/migrate.ts');
    await applyMigrations({ databaseUrl, migrationsDir: migrations, log });
    return sqliteColumns(databaseUrl);
  });
  const mysql = mariadbUrl
    ? await withScratchMariadb(mariadbUrl, async (databaseUrl) => {
        const { applyMigrations } = await import('#platform/database/migrate.ts');
        await applyMigrations({ databaseUrl, migrationsDir: twin, log });
        return mysqlColumns(databaseUrl);
      })
    : namedColumns(twin);

  return [
    ...missing(sqlite, mysql, `${name}: SQLite has the column`, 'which MySQL lacks.'),
    ...missing(mysql, sqlite, `${name}: MySQL has the column`, 'which SQLite lacks.'),
    ...[...sqlite].flatMap(([column, takesNull]) => {
      const other = mysql.get(column);
      if (other === undefined || other === takesNull) return [];
      return [`${name}: ${column} takes NULL only on ${takesNull ? 'SQLite' : 'MySQL'}.`];
    }),
  ];
}

/**
 * @param {Columns} these
 * @param {Columns} those
 * @param {string} before
 * @param {string} after
 */
function missing(these, those, before, after) {
  return [...these.keys()]
    .filter((key) => !those.has(key))
    .map((key) => `${before} ${key}, ${after}`);
}

/** @param {string} url */
async function sqliteColumns(url) {
  const rows = await querySqlite(
    url,
    `SELECT t.name AS table_name, c.name AS column_name, NOT (c."notnull" OR c.pk) AS takes_null
     FROM sqlite_master t, pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name <> '_prisma_migrations' AND t.name NOT LIKE 'sqlite_%'`,
  );
  return byName(rows);
}

/** @param {string} url */
async function mysqlColumns(url) {
  const rows = await queryMariadb(
    url,
    `SELECT table_name AS table_name, column_name AS column_name, is_nullable = 'YES' AS takes_null
     FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name <> '_prisma_migrations'`,
  );
  return byName(rows);
}

/**
 * @param {Record<string, unknown>[]} rows
 * @returns {Columns}
 */
function byName(rows) {
  return new Map(
    rows.map((row) => [`${row.table_name}.${row.column_name}`, Boolean(Number(row.takes_null))]),
  );
}

/**
 * Reads CREATE TABLE and ALTER TABLE with one backquoted column on a line, as Prisma writes them.
 *
 * @param {string} folder
 */
function namedColumns(folder) {
  /** @type {Columns} */
  const columns = new Map();
  const names = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory());
  for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    let table;
    for (const line of readFileSync(join(folder, name, 'migration.sql'), 'utf8').split('\n')) {
      table = /\b(?:CREATE|ALTER) TABLE (?:IF NOT EXISTS )?`(\w+)`/i.exec(line)?.[1] ?? table;
      const added = /^\s*`(\w+)` |\bADD COLUMN `(\w+)`/i.exec(line);
      const dropped = /\bDROP COLUMN `(\w+)`/i.exec(line)?.[1];
      const renamed = /\b(?:RENAME|CHANGE) COLUMN `(\w+)` (?:TO )?`(\w+)`/i.exec(line);
      if (added) columns.set(`${table}.${added[1] ?? added[2]}`, undefined);
      if (dropped) columns.delete(`${table}.${dropped}`);
      if (renamed && columns.delete(`${table}.${renamed[1]}`)) {
        columns.set(`${table}.${renamed[2]}`, undefined);
      }
    }
  }
  return columns;
}
