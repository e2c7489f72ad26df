import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { applyMigrations } from '../database/migrate.ts';
import { describeMigrations } from './migration-setup.ts';

const log = { info: () => {}, warn: () => {} };

describeMigrations('migrations that fail', (setup) => {
  test('a migration that was changed after it had been applied is refused', async () => {
    await setup.migrate();
    await appendFile(setup.sqlFile('20250101000000_space'), '\n-- an afterthought');
    await expect(setup.migrate()).rejects.toThrow(
      /20250101000000_space was changed after .*Restore/,
    );
  });

  test('migrations are refused while an earlier one is unfinished, but not when it was rolled back', async () => {
    await setup.migrate();
    const where = "WHERE migration_name = '20250102000000_price'";
    await setup.database.query(`UPDATE _prisma_migrations SET finished_at = NULL ${where}`);
    await expect(setup.migrate()).rejects.toThrow(/20250102000000_price was begun .*not finished/);

    // `prisma migrate resolve --rolled-back` does the same; then the migration is due again.
    await setup.database.query(
      `UPDATE _prisma_migrations SET rolled_back_at = started_at ${where}`,
    );
    await setup.database.query('ALTER TABLE space DROP COLUMN price');
    await setup.database.query('DELETE FROM space');
    expect(await setup.migrate()).toEqual(['20250102000000_price']);
  });

  test('migrations that were written for another engine are refused', async () => {
    await writeFile(join(setup.migrationsDir, 'migration_lock.toml'), 'provider = "sqlserver"');
    await expect(setup.migrate()).rejects.toThrow(/are for sqlserver, but .* is a/);
  });

  test('a migration that fails is reported and never stays half-applied unnoticed', async () => {
    await setup.write(
      '20250103000000_bad',
      'CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1);',
    );
    await setup.write('20250104000000_later', 'CREATE TABLE later (id INTEGER);');

    if (setup.provider === 'mysql') {
      await expect(setup.migrate()).rejects.toThrow(
        /20250103000000_bad failed halfway: .*nowhere.*Undo/s,
      );
      expect((await setup.rows())[2]).toMatchObject({ finished_at: null, applied_steps_count: 0 });
      expect((await setup.rows())[2]?.logs).toMatch(/nowhere/);
      await expect(setup.migrate()).rejects.toThrow(/20250103000000_bad was begun .*not finished/);
      await setup.database.query("DELETE FROM _prisma_migrations WHERE migration_name LIKE '%bad'");
      await setup.database.query('DROP TABLE half');
    } else {
      await expect(setup.migrate()).rejects.toThrow(
        /20250103000000_bad failed and was rolled back: .*nowhere/,
      );
      expect(await setup.rows()).toHaveLength(2);
    }
    await expect(setup.database.query('SELECT * FROM half')).rejects.toThrow(/half/);
    await expect(setup.database.query('SELECT * FROM later')).rejects.toThrow(/later/);

    await setup.write('20250103000000_bad', 'CREATE TABLE half (id INTEGER);');
    expect(await setup.migrate()).toEqual(['20250103000000_bad', '20250104000000_later']);
  });
});

describe('migrations without an engine', () => {
  test('migrations for an address of an unknown engine are refused without the address in the message', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'migrate-'));
    const options = { databaseUrl: 'oracle://scott:tiger@db', migrationsDir: empty, log };
    await expect(applyMigrations(options)).rejects.toThrow(/^A database URL starts with [^@]*$/);
    await rm(empty, { recursive: true });
  });

  test('migrations without their folder are refused', async () => {
    const options = { databaseUrl: 'file::memory:', migrationsDir: '/nowhere/at/all', log };
    await expect(applyMigrations(options)).rejects.toThrow(
      /folder \/nowhere\/at\/all cannot be read/,
    );
  });
});
