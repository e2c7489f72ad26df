import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listMigrations, migrationProblems } from '../../scripts/migration/baseline-migrations.mjs';
import { breakingStatements } from '../../scripts/migration/breaking.mjs';
import { isCompound, splitStatements } from '../database/migrate/mysql-statements.ts';

describe('a migration that the previous release cannot run on', () => {
  test.each([
    ['a dropped column', 'ALTER TABLE "a" DROP COLUMN "b";', 'drops a column'],
    ['a dropped table', 'DROP TABLE IF EXISTS "a";', 'drops the table a'],
    ['a dropped type', 'DROP TYPE "a";', 'drops a type'],
    ['a dropped view', 'DROP VIEW a;', 'drops a view'],
    ['a renamed column', 'ALTER TABLE "a"\n  RENAME COLUMN "b" TO "c";', 'renames a column'],
    ['a renamed table', 'ALTER TABLE "a" RENAME TO "b";', 'renames the table a'],
    ["MySQL's renamed table", 'RENAME TABLE `a` TO `b`;', 'renames the table a'],
    ['a renamed type', 'ALTER TYPE "a" RENAME TO "b";', 'renames or replaces a type'],
    ['a renamed value', "ALTER TYPE a RENAME VALUE 'b' TO 'c';", 'renames a value of an enum'],
    ['a removed value', "DELETE FROM pg_enum WHERE enumlabel = 'b';", 'removes a value of an enum'],
    [
      'a changed type',
      'ALTER TABLE "a" ALTER COLUMN "b" SET DATA TYPE BIGINT;',
      'changes the type of a column',
    ],
    ['a modified column', 'ALTER TABLE `a` MODIFY `b` TEXT;', 'may change the type of a column'],
    [
      'a column that must be given from now on',
      'ALTER TABLE "a" ALTER COLUMN "b" SET NOT NULL;',
      'demands a.b, which the previous release may leave out',
    ],
    [
      'a new column without a default',
      'ALTER TABLE "a" ADD COLUMN "c" INTEGER DEFAULT 0 NOT NULL, ADD COLUMN "b" NUMERIC(3, 1) NOT NULL;',
      'adds a.b without a default, which the previous release leaves out',
    ],
    [
      'a default that is dropped',
      'ALTER TABLE a ALTER COLUMN b DROP DEFAULT;',
      'drops the default of a column',
    ],
    [
      'a new constraint',
      'ALTER TABLE "a" ADD CONSTRAINT "x" CHECK (b > 0);',
      'refuses rows of a by a new constraint',
    ],
    [
      'a new unique index',
      'CREATE UNIQUE INDEX "x" ON "a" ("b");',
      'refuses rows of a by a unique index',
    ],
  ])('a migration with %s breaks the previous release', (_, sql, problem) => {
    expect(breakingStatements(sql)).toEqual([problem]);
  });
});

describe('a migration that the previous release can run on', () => {
  test.each([
    [
      'a new table and all that belongs to it',
      `CREATE TABLE "a" ("b" INTEGER NOT NULL);
      CREATE UNIQUE INDEX "x" ON "a" ("b");
      ALTER TABLE "a" ADD CONSTRAINT "y" CHECK (b > 0);`,
    ],
    ['a column that may be left out', 'ALTER TABLE "a" ADD COLUMN "b" TEXT;'],
    ['a column that has a default', 'ALTER TABLE a ADD COLUMN b INT NOT NULL DEFAULT 1;'],
    [
      'a column that gets a default before it must be given',
      'ALTER TABLE a ALTER COLUMN b SET DEFAULT 1, ALTER COLUMN b SET NOT NULL;',
    ],
    ['an index', 'CREATE INDEX "x" ON "a" ("b"); DROP INDEX "y";'],
    ['a new value of an enum', 'ALTER TYPE "a" ADD VALUE \'b\';'],
    ['a constraint that is dropped', 'ALTER TABLE a ALTER COLUMN b DROP NOT NULL;'],
    [
      'comments and texts',
      "-- DROP TABLE a;\n/* DROP TABLE a */ INSERT INTO b VALUES ('DROP TYPE c');",
    ],
    [
      'a copied table, as SQLite needs it',
      `CREATE TABLE "new_a" ("b" TEXT);
      INSERT INTO "new_a" SELECT "b" FROM "a"; DROP TABLE "a"; ALTER TABLE "new_a" RENAME TO "a";`,
    ],
  ])('a migration with %s is compatible with the previous release', (_, sql) => {
    expect(breakingStatements(sql)).toEqual([]);
  });
});

describe('the migrations of the project', () => {
  let root: string;
  const DROP = 'ALTER TABLE "a" DROP COLUMN "b";';
  const write = (folder: string, name: string, sql: string) => {
    mkdirSync(join(root, 'prisma', folder, name), { recursive: true });
    writeFileSync(join(root, 'prisma', folder, name, 'migration.sql'), sql);
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'migration-rules-'));
    write('book/migrations', '1_init', 'CREATE TABLE a (b INT);');
    write('mypage/migrations/mysql', '1_init', 'CREATE TABLE a (b INT);');
    write('mypage/migrations/sqlite', '1_init', 'CREATE TABLE a (b INT);');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test('released migrations equal the list of the baseline, in every folder', () => {
    const baseline = listMigrations(root);
    expect(Object.keys(baseline)).toEqual([
      'book/migrations',
      'mypage/migrations/mysql',
      'mypage/migrations/sqlite',
    ]);
    expect(migrationProblems(root, baseline)).toEqual([]);
  });

  test('a breaking migration must declare whether the previous release can run on it', () => {
    const baseline = listMigrations(root);
    write('book/migrations', '2_drop', DROP);
    expect(migrationProblems(root, baseline)).toEqual([
      expect.stringMatching(/^book\/migrations: 2_drop drops a column\. Can the previous release/),
    ]);
    for (const mark of ['compatible: nothing reads it', 'incompatible: it reads it']) {
      write('book/migrations', '2_drop', `-- ${mark}\n${DROP}`);
      expect(migrationProblems(root, baseline)).toEqual([]);
    }
    write('book/migrations', '2_drop', `-- incompatible:\n${DROP}`);
    expect(migrationProblems(root, baseline)).toHaveLength(1);
  });

  test('a released migration that is changed or removed is reported', () => {
    const baseline = listMigrations(root);
    write('book/migrations', '1_init', 'CREATE TABLE a (b BIGINT);');
    cpSync(join(root, 'prisma/mypage/migrations/mysql/1_init'), join(root, 'elsewhere'), {
      recursive: true,
    });
    rmSync(join(root, 'prisma/mypage/migrations/mysql/1_init'), { recursive: true });
    expect(migrationProblems(root, baseline)).toEqual([
      'book/migrations: the released migration 1_init was changed; restore it.',
      'mypage/migrations/mysql: the released migration 1_init is gone; restore it.',
    ]);
  });
});

describe('a MySQL script', () => {
  test('a MySQL script is split at the semicolons that end statements', () => {
    const script = `-- One; two.
      CREATE TABLE \`a;b\` (c TEXT DEFAULT 'd;''e\\';'); # f;
      /* g; */ INSERT INTO h VALUES ("i;j");;
      -- The end;`;
    const [create, insert, ...others] = splitStatements(script);
    expect(create).toMatch(/CREATE TABLE `a;b` \(c TEXT DEFAULT 'd;''e\\';'\)$/);
    expect(insert).toMatch(/INSERT INTO h VALUES \("i;j"\)$/);
    expect(others).toEqual([]);
  });

  test('a MySQL script with the body of a trigger is compound, one with a column named event is not', () => {
    expect(isCompound('CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN END')).toBe(true);
    expect(isCompound("CREATE OR REPLACE DEFINER = 'a'@'b' FUNCTION f() RETURNS INT")).toBe(true);
    expect(isCompound('CREATE TABLE a (event TEXT, function TEXT)')).toBe(false);
  });
});
