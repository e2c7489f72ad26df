import { createHash } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { until } from '../../tests/support/system.ts';
import { describeMigrations, type MigrationSetup, PRICE, SPACE } from './migration-setup.ts';

describeMigrations('migrations', (setup) => {
  testApplying(setup);
  testVersions(setup);
  testIncompatible(setup);
  if (setup.provider !== 'sqlite') testLocks(setup);
  if (setup.provider === 'postgresql') testLocksOfTwoTables(setup);
});

function testApplying(setup: MigrationSetup): void {
  test('migrations are applied in order and recorded as Prisma records them', async () => {
    const before = Date.now();
    expect(await setup.migrate()).toEqual(['20250101000000_space', '20250102000000_price']);

    expect(await setup.database.query('SELECT title, price FROM space')).toMatchObject([
      { title: 'loft; with a view', price: 100 },
    ]);
    const recorded = await setup.rows();
    expect(recorded).toMatchObject([
      { migration_name: '20250101000000_space', checksum: sha256(SPACE) },
      { migration_name: '20250102000000_price', checksum: sha256(PRICE) },
    ]);
    for (const row of recorded) {
      expect(row).toMatchObject({ applied_steps_count: 1, logs: null, rolled_back_at: null });
      expect(row.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      for (const instant of [row.started_at, row.finished_at]) {
        if (setup.provider === 'sqlite') expect(instant).toMatch(/^\d{4}-.*T.*\.\d{3}\+00:00$/);
        expect(Number(new Date(instant as string | Date))).toBeGreaterThanOrEqual(before);
        expect(Number(new Date(instant as string | Date))).toBeLessThanOrEqual(Date.now());
      }
    }
  });

  test('an applied migration is not applied again, and a new one is', async () => {
    await setup.migrate();
    expect(await setup.migrate()).toEqual([]);

    await setup.write('20250103000000_more', "INSERT INTO space (id, title) VALUES (2, 'cellar');");
    expect(await setup.migrate()).toEqual(['20250103000000_more']);
    expect(await setup.rows()).toHaveLength(3);
  });

  test('migrations are applied once by several processes that start together', async () => {
    const applied = await Promise.all(Array.from({ length: 5 }, () => setup.migrate()));
    expect(applied.flat()).toEqual(['20250101000000_space', '20250102000000_price']);
    expect(await setup.rows()).toHaveLength(2);
  });

  test('a migration with other line ends is the same migration', async () => {
    await setup.migrate();
    const text = await readFile(setup.sqlFile('20250102000000_price'), 'utf8');
    await setup.write('20250102000000_price', text.replaceAll('\n', '\r\n'));
    expect(await setup.migrate()).toEqual([]);
  });
}

function testVersions(setup: MigrationSetup): void {
  test('migrations of a newer version in the database are accepted with a warning that names them', async () => {
    await setup.migrate();
    await rm(join(setup.migrationsDir, '20250102000000_price'), { recursive: true });
    expect(await setup.migrate()).toEqual([]);
    expect(setup.warnings).toMatchObject([{ migrations: ['20250102000000_price'] }]);
    expect(await setup.rows()).toHaveLength(2);
  });

  test('migrations that a newer version is still applying do not stop an older version', async () => {
    await setup.migrate();
    await setup.database.query(
      "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%price'",
    );
    await rm(join(setup.migrationsDir, '20250102000000_price'), { recursive: true });
    expect(await setup.migrate()).toEqual([]);
    expect(setup.warnings).toMatchObject([{ migrations: ['20250102000000_price'] }]);
  });

  test('migrations of the newer of two versions are applied when both start together', async () => {
    const newer = join(setup.folder, 'newer');
    await cp(setup.migrationsDir, newer, { recursive: true });
    await rm(join(setup.migrationsDir, '20250102000000_price'), { recursive: true });
    const start = (dir: string) => setup.migrate({ migrationsDir: dir });
    const applied = await Promise.all(
      [setup.migrationsDir, newer, setup.migrationsDir, newer].map((dir) => start(dir)),
    );
    // Each is applied once, by any of the four.
    expect(applied.flat().sort()).toEqual(['20250101000000_space', '20250102000000_price']);
    expect(await setup.rows()).toHaveLength(2);
  });

  test('an older migration that the folder lacks is refused', async () => {
    await setup.write('20250101120000_between', 'CREATE TABLE between_them (id INTEGER);');
    await setup.migrate();
    await rm(join(setup.migrationsDir, '20250101120000_between'), { recursive: true });
    await expect(setup.migrate()).rejects.toThrow(
      /has the migration 20250101120000_between, which/,
    );
  });

  test('migrations are refused when neither the folder nor the database is newer', async () => {
    await setup.write('20250104000000_theirs', 'CREATE TABLE theirs (id INTEGER);');
    await setup.migrate();
    await rm(join(setup.migrationsDir, '20250104000000_theirs'), { recursive: true });
    await setup.write('20250103000000_ours', 'CREATE TABLE ours (id INTEGER);');
    await expect(setup.migrate()).rejects.toThrow(
      /lacks the migration 20250103000000_ours and has 20250104000000_theirs/,
    );
    await expect(setup.database.query('SELECT * FROM ours')).rejects.toThrow(/ours/);
  });
}

function testIncompatible(setup: MigrationSetup): void {
  test('a migration that the previous release cannot run on is refused unless it is named', async () => {
    await setup.migrate();
    const name = '20250103000000_no_price';
    await setup.write('20250102120000_before', 'CREATE TABLE before_it (id INTEGER);');
    await setup.write(
      name,
      '-- incompatible: it still reads the price.\nALTER TABLE space DROP COLUMN price;',
    );
    for (const others of [[], ['20250102000000_price']]) {
      await expect(setup.migrate({ allowIncompatible: others })).rejects.toThrow(
        /cannot run on the schema of 20250103000000_no_price \(it still reads the price\.\)\. Stop all .*ALLOW_INCOMPATIBLE_MIGRATIONS=20250103000000_no_price\.$/,
      );
    }
    expect(await setup.rows()).toHaveLength(2);

    expect(await setup.migrate({ allowIncompatible: [name] })).toEqual([
      '20250102120000_before',
      name,
    ]);
    expect(await setup.migrate()).toEqual([]);
  });

  test('a migration that the previous release cannot run on keeps that release from starting', async () => {
    await setup.migrate();
    const name = '20250103000000_no_price';
    await setup.write(
      name,
      '-- incompatible: It reads the price.\nALTER TABLE space DROP COLUMN price;',
    );
    await setup.migrate({ allowIncompatible: [name] });
    await rm(join(setup.migrationsDir, name), { recursive: true });
    await expect(setup.migrate()).rejects.toThrow(
      /has the newer migration 20250103000000_no_price, on which this version cannot run: It reads the price\. Start/,
    );
  });

  test('all migrations are applied to an empty database, also incompatible ones', async () => {
    const name = '20250103000000_no_price';
    await setup.write(
      name,
      '-- incompatible: it reads the price\nALTER TABLE space DROP COLUMN price;',
    );
    expect(await setup.migrate()).toContain(name);
  });
}

function testLocks(setup: MigrationSetup): void {
  test('a migration waits briefly for a lock, lets other statements through, and names what blocks it', async () => {
    await setup.migrate();
    await setup.write('20250103000000_wide', 'ALTER TABLE space ADD COLUMN wide INTEGER NULL;');
    const reader = await setup.database.openTransaction('SELECT * FROM space');
    const locks = { timeoutMs: 1_000, retryForMs: 2_000 };
    const failing = setup.migrate({ locks });
    const failure = expect(failing).rejects.toThrow(
      /20250103000000_wide was not applied: .* within 2 s\. Blocked by: .*\. Nothing has changed/,
    );
    // Other statements queue behind a migration that waits for its lock, until its lock timeout.
    let hasFailed = false;
    const over = failure.then(() => {
      hasFailed = true;
    });
    let read = 0;
    while (!hasFailed) {
      expect(await setup.database.query('SELECT title FROM space')).toHaveLength(1);
      read += 1;
    }
    await over;
    expect(read).toBeGreaterThan(2);
    expect(setup.warnings.length).toBeGreaterThan(1);
    const id = String(reader.id);
    expect(setup.warnings.every(({ blockedBy }) => blockedBy?.includes(id))).toBe(true);
    expect(await setup.rows()).toHaveLength(2);

    const waiting = setup.migrate();
    const warned = setup.warnings.length;
    await until('another warning', () => setup.warnings.length > warned);
    await reader.end();
    expect(await waiting).toEqual(['20250103000000_wide']);
  });
}

/** Elsewhere each statement commits by itself, so a migration never has one lock while it waits for another. */
function testLocksOfTwoTables(setup: MigrationSetup): void {
  test.each([
    ['changes another table', 'ALTER TABLE tariff ADD COLUMN space INTEGER;'],
    ['drops an index of another table', 'DROP INDEX IF EXISTS "tariff_id";'],
    ['indexes another table', 'CREATE UNIQUE INDEX tariff_space ON tariff (id);'],
  ])(
    'a migration that %s gives way to a transaction that uses both the other way round',
    async (_, sql) => {
      await setup.write(
        '20250102120000_tariff',
        'CREATE TABLE tariff (id INTEGER); CREATE INDEX tariff_id ON tariff (id);',
      );
      await setup.migrate();
      const pause = 'SELECT pg_sleep(0.5);';
      await setup.write(
        '20250103000000_both',
        `ALTER TABLE "space" ADD COLUMN tariff INTEGER; ${pause} ${sql}`,
      );
      const client = await setup.database.openTransaction('INSERT INTO tariff (id) VALUES (1)');
      const migrating = setup.migrate();
      await until('the migration has one of the tables', async () => {
        const locks = await setup.database.query(
          `SELECT 1 FROM pg_locks WHERE relation = 'space'::regclass AND granted
            AND mode = 'AccessExclusiveLock'`,
        );
        return locks.length > 0;
      });
      // PostgreSQL fails this statement when the migration still waits for the other table a second later.
      await client.query('SELECT * FROM space');
      await until('a warning', () => setup.warnings.length > 0);
      expect(setup.warnings[0]?.blockedBy).toContain(String(client.id));
      await client.end();
      expect(await migrating).toEqual(['20250103000000_both']);
    },
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
