// The migrations that a release contained: they stay as they are, and later ones must suit it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { breakingStatements, readMark } from './breaking.mjs';

/** @typedef {Record<string, Record<string, string>>} Checksums */

/**
 * The checksum of every migration, by folder and name: `{ 'book/migrations': { <name>: <sha256> } }`.
 *
 * @param {string} root
 * @returns {Checksums}
 */
export function listMigrations(root) {
  return Object.fromEntries(
    migrationFolders(root).map((folder) => {
      const names = foldersIn(join(root, 'prisma', folder));
      const sums = names.map((name) => [name, checksum(readSql(root, folder, name))]);
      return [folder, Object.fromEntries(sums)];
    }),
  );
}

/**
 * Sentences on released migrations that changed, and on new ones that may break the release.
 *
 * @param {string} root
 * @param {Checksums} baseline
 */
export function migrationProblems(root, baseline) {
  return migrationFolders(root).flatMap((folder) => {
    const released = baseline[folder] ?? {};
    const names = foldersIn(join(root, 'prisma', folder));
    const gone = Object.keys(released).filter((name) => !names.includes(name));
    return [
      ...gone.map((name) => `${folder}: the released migration ${name} is gone; restore it.`),
      ...names.flatMap((name) => {
        const sql = readSql(root, folder, name);
        if (released[name] === undefined) return newProblems(folder, name, sql);
        if (released[name] === checksum(sql)) return [];
        return [`${folder}: the released migration ${name} was changed; restore it.`];
      }),
    ];
  });
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {string} sql
 */
function newProblems(folder, name, sql) {
  if (readMark(sql)) return [];
  return breakingStatements(sql).map(
    (what) =>
      `${folder}: ${name} ${what}. Can the previous release run on it? Say so in the file: ` +
      '"-- compatible: <why it can>" or "-- incompatible: <why it cannot>".',
  );
}

/**
 * `book/migrations`, `mypage/migrations/sqlite` …
 *
 * @param {string} root
 */
function migrationFolders(root) {
  return foldersIn(join(root, 'prisma'))
    .map((context) => `${context}/migrations`)
    .filter((folder) => existsSync(join(root, 'prisma', folder)))
    .flatMap((folder) => {
      const engines = ['mysql', 'sqlite'].filter((each) =>
        existsSync(join(root, 'prisma', folder, each)),
      );
      return engines.length > 0 ? engines.map((each) => `${folder}/${each}`) : [folder];
    });
}

/** @param {string} path */
function foldersIn(path) {
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.flatMap((each) => (each.isDirectory() ? [each.name] : [])).sort();
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {string} name
 */
function readSql(root, folder, name) {
  return readFileSync(join(root, 'prisma', folder, name, 'migration.sql'), 'utf8');
}

/** @param {string} sql */
function checksum(sql) {
  return createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
}
