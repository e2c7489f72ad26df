import { createHash, randomUUID } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import mariadb from 'mariadb';
import pg from 'pg';
import { applyMigrations } from '../database/migrate.ts';

interface Database {
  url: string;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** A transaction that has run the statement and stays open; `id` is that of its session. */
  openTransaction(sql: string): Promise<{ id: number; end(): Promise<void> }>;
  drop(): Promise<void>;
}

const engines: {
  provider: 'sqlite' | 'postgresql' | 'mysql';
  isGiven: boolean;
  create(folder: string): Promise<Database>;
}[] = [
  { provider: 'sqlite', isGiven: true, create: createSqlite },
  { provider: 'postgresql', isGiven: !!process.env.TEST_POSTGRES_URL, create: createPostgres },
  { provider: 'mysql', isGiven: !!process.env.TEST_MARIADB_URL, create: createMariadb },
];

const SPACE = 'CREATE TABLE space (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(40) NOT NULL);';
const PRICE = `-- A comment; with a semicolon.
ALTER TABLE space ADD COLUMN price INTEGER NULL;
INSERT INTO space (id, title, price) VALUES (1, 'loft; with a view', 100);`;

let folder: string;
let migrationsDir: string;
let database: Database;
let warnings: { migrations?: string[]; blockedBy?: string }[] = [];
const log = { info: () => {}, warn: (about: object) => void warnings.push(about) };

const migrate = (allowIncompatible: string[] = []) =>
  applyMigrations({ databaseUrl: database.url, migrationsDir, allowIncompatible, log });
const sqlFile = (name: string) => join(migrationsDir, name, 'migration.sql');

async function write(name: string, sql: string) {
  await mkdir(join(migrationsDir, name), { recursive: true });
  await writeFile(sqlFile(name), sql);
}

const rows = () => database.query('SELECT * FROM _prisma_migrations ORDER BY started_at');

for (const { provider, isGiven, create } of engines) {
  (isGiven ? describe : describe.skip)(`migrations on ${provider}`, () => {
    beforeEach(async () => {
      warnings = [];
      folder = await mkdtemp(join(tmpdir(), 'migrate-'));
      migrationsDir = join(folder, 'migrations');
      database = await create(folder);
      await write('20250101000000_space', SPACE);
      await write('20250102000000_price', PRICE);
      await writeFile(
        join(migrationsDir, 'migration_lock.toml'),
        `# Written by Prisma\nprovider = "${provider}"\n`,
      );
    });

    afterEach(async () => {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    });

    test('are applied in order and recorded as Prisma records them', async () => {
      const before = Date.now();
      expect(await migrate()).toEqual(['20250101000000_space', '20250102000000_price']);

      expect(await database.query('SELECT title, price FROM space')).toMatchObject([
        { title: 'loft; with a view', price: 100 },
      ]);
      const recorded = await rows();
      expect(recorded).toMatchObject([
        { migration_name: '20250101000000_space', checksum: sha256(SPACE) },
        { migration_name: '20250102000000_price', checksum: sha256(PRICE) },
      ]);
      for (const row of recorded) {
        expect(row).toMatchObject({ applied_steps_count: 1, logs: null, rolled_back_at: null });
        expect(row.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        for (const instant of [row.started_at, row.finished_at]) {
          if (provider === 'sqlite') expect(instant).toMatch(/^\d{4}-.*T.*\.\d{3}\+00:00$/);
          expect(Number(new Date(instant as string | Date))).toBeGreaterThanOrEqual(before);
          expect(Number(new Date(instant as string | Date))).toBeLessThanOrEqual(Date.now());
        }
      }
    });

    test('are not applied again, and a new one joins them', async () => {
      await migrate();
      expect(await migrate()).toEqual([]);

      await write('20250103000000_more', "INSERT INTO space (id, title) VALUES (2, 'cellar');");
      expect(await migrate()).toEqual(['20250103000000_more']);
      expect(await rows()).toHaveLength(3);
    });

    test('are applied once by several that start together', async () => {
      const applied = await Promise.all(Array.from({ length: 5 }, () => migrate()));
      expect(applied.flat()).toEqual(['20250101000000_space', '20250102000000_price']);
      expect(await rows()).toHaveLength(2);
    });

    test('are refused when one was changed after it had been applied', async () => {
      await migrate();
      await appendFile(sqlFile('20250101000000_space'), '\n-- an afterthought');
      await expect(migrate()).rejects.toThrow(/20250101000000_space was changed after .*Restore/);
    });

    test('are the same migrations with other line ends', async () => {
      await migrate();
      const text = await readFile(sqlFile('20250102000000_price'), 'utf8');
      await write('20250102000000_price', text.replaceAll('\n', '\r\n'));
      expect(await migrate()).toEqual([]);
    });

    test('of a newer version in the database are accepted with a warning that names them', async () => {
      await migrate();
      await rm(join(migrationsDir, '20250102000000_price'), { recursive: true });
      expect(await migrate()).toEqual([]);
      expect(warnings).toMatchObject([{ migrations: ['20250102000000_price'] }]);
      expect(await rows()).toHaveLength(2);
    });

    test('of a newer version do not matter to an older one while they are applied', async () => {
      await migrate();
      await database.query(
        "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%price'",
      );
      await rm(join(migrationsDir, '20250102000000_price'), { recursive: true });
      expect(await migrate()).toEqual([]);
      expect(warnings).toMatchObject([{ migrations: ['20250102000000_price'] }]);
    });

    test('are applied by the newer one of two versions that start together', async () => {
      const newer = join(folder, 'newer');
      await cp(migrationsDir, newer, { recursive: true });
      await rm(join(migrationsDir, '20250102000000_price'), { recursive: true });
      const start = (dir: string) =>
        applyMigrations({ databaseUrl: database.url, migrationsDir: dir, log });
      const applied = await Promise.all(
        [migrationsDir, newer, migrationsDir, newer].map((dir) => start(dir)),
      );
      // Each once; which of the four applied which is open.
      expect(applied.flat().sort()).toEqual(['20250101000000_space', '20250102000000_price']);
      expect(await rows()).toHaveLength(2);
    });

    test('are refused when the database has an older one that the folder lacks', async () => {
      await write('20250101120000_between', 'CREATE TABLE between_them (id INTEGER);');
      await migrate();
      await rm(join(migrationsDir, '20250101120000_between'), { recursive: true });
      await expect(migrate()).rejects.toThrow(/has the migration 20250101120000_between, which/);
    });

    test('are refused when neither the folder nor the database is the newer one', async () => {
      await write('20250104000000_theirs', 'CREATE TABLE theirs (id INTEGER);');
      await migrate();
      await rm(join(migrationsDir, '20250104000000_theirs'), { recursive: true });
      await write('20250103000000_ours', 'CREATE TABLE ours (id INTEGER);');
      await expect(migrate()).rejects.toThrow(
        /lacks the migration 20250103000000_ours and has 20250104000000_theirs/,
      );
      await expect(database.query('SELECT * FROM ours')).rejects.toThrow(/ours/);
    });

    test('that the previous release cannot live with are refused unless named', async () => {
      await migrate();
      const name = '20250103000000_no_price';
      await write('20250102120000_before', 'CREATE TABLE before_it (id INTEGER);');
      await write(
        name,
        '-- incompatible: it still reads the price.\nALTER TABLE space DROP COLUMN price;',
      );
      for (const others of [[], ['20250102000000_price']]) {
        await expect(migrate(others)).rejects.toThrow(
          /cannot run on the schema of 20250103000000_no_price \(it still reads the price\.\)\. Stop all .*ALLOW_INCOMPATIBLE_MIGRATIONS=20250103000000_no_price\.$/,
        );
      }
      expect(await rows()).toHaveLength(2);

      expect(await migrate([name])).toEqual(['20250102120000_before', name]);
      expect(await migrate()).toEqual([]);
    });

    test('that the previous release cannot live with keep it from starting', async () => {
      await migrate();
      const name = '20250103000000_no_price';
      await write(
        name,
        '-- incompatible: It reads the price.\nALTER TABLE space DROP COLUMN price;',
      );
      await migrate([name]);
      await rm(join(migrationsDir, name), { recursive: true });
      await expect(migrate()).rejects.toThrow(
        /has the newer migration 20250103000000_no_price, on which this version cannot run: It reads the price\. Start/,
      );
    });

    test('are all applied to an empty database, whatever the previous release can live with', async () => {
      const name = '20250103000000_no_price';
      await write(
        name,
        '-- incompatible: it reads the price\nALTER TABLE space DROP COLUMN price;',
      );
      expect(await migrate()).toContain(name);
    });

    if (provider !== 'sqlite') {
      test('wait for a lock shortly, let others through, and say what blocks them', async () => {
        await migrate();
        await write('20250103000000_wide', 'ALTER TABLE space ADD COLUMN wide INTEGER NULL;');
        const reader = await database.openTransaction('SELECT * FROM space');
        const locks = { timeoutMs: 1_000, retryForMs: 2_000 };
        const failing = applyMigrations({ databaseUrl: database.url, migrationsDir, log, locks });
        const failure = expect(failing).rejects.toThrow(
          /20250103000000_wide was not applied: .* within 2 s\. Blocked by: .*\. Nothing has changed/,
        );
        // Behind a migration that waits for its lock the others wait too, but not for long.
        let isOver = false;
        const over = failure.then(() => {
          isOver = true;
        });
        let read = 0;
        while (!isOver) {
          expect(await database.query('SELECT title FROM space')).toHaveLength(1);
          read += 1;
        }
        await over;
        expect(read).toBeGreaterThan(2);
        expect(warnings.length).toBeGreaterThan(1);
        const id = String(reader.id);
        expect(warnings.every(({ blockedBy }) => blockedBy?.includes(id))).toBe(true);
        expect(await rows()).toHaveLength(2);

        const patient = migrate();
        await untilWarned(warnings.length + 1);
        await reader.end();
        expect(await patient).toEqual(['20250103000000_wide']);
      });
    }

    test('are refused while an earlier one is unfinished, but not when it was rolled back', async () => {
      await migrate();
      const where = "WHERE migration_name = '20250102000000_price'";
      await database.query(`UPDATE _prisma_migrations SET finished_at = NULL ${where}`);
      await expect(migrate()).rejects.toThrow(/20250102000000_price was begun .*not finished/);

      // What `prisma migrate resolve --rolled-back` does; then the migration is due again.
      await database.query(`UPDATE _prisma_migrations SET rolled_back_at = started_at ${where}`);
      await database.query('ALTER TABLE space DROP COLUMN price');
      await database.query('DELETE FROM space');
      expect(await migrate()).toEqual(['20250102000000_price']);
    });

    test('are refused when they were written for another engine', async () => {
      await writeFile(join(migrationsDir, 'migration_lock.toml'), 'provider = "sqlserver"');
      await expect(migrate()).rejects.toThrow(/are for sqlserver, but .* is a/);
    });

    test('are reported when one fails, and never half-applied unnoticed', async () => {
      await write(
        '20250103000000_bad',
        'CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1);',
      );
      await write('20250104000000_later', 'CREATE TABLE later (id INTEGER);');

      if (provider === 'mysql') {
        await expect(migrate()).rejects.toThrow(
          /20250103000000_bad failed halfway: .*nowhere.*Undo/s,
        );
        expect((await rows())[2]).toMatchObject({ finished_at: null, applied_steps_count: 0 });
        expect((await rows())[2]?.logs).toMatch(/nowhere/);
        await expect(migrate()).rejects.toThrow(/20250103000000_bad was begun .*not finished/);
        await database.query("DELETE FROM _prisma_migrations WHERE migration_name LIKE '%bad'");
        await database.query('DROP TABLE half');
      } else {
        await expect(migrate()).rejects.toThrow(
          /20250103000000_bad failed and was rolled back: .*nowhere/,
        );
        expect(await rows()).toHaveLength(2);
      }
      await expect(database.query('SELECT * FROM half')).rejects.toThrow(/half/);
      await expect(database.query('SELECT * FROM later')).rejects.toThrow(/later/);

      await write('20250103000000_bad', 'CREATE TABLE half (id INTEGER);');
      expect(await migrate()).toEqual(['20250103000000_bad', '20250104000000_later']);
    });

    if (provider === 'sqlite') {
      test('keep the rows that refer to a table which is redefined', async () => {
        await write(
          '20250103000000_booking',
          `CREATE TABLE booking (id INTEGER PRIMARY KEY, space_id INTEGER NOT NULL,
             FOREIGN KEY (space_id) REFERENCES space (id) ON DELETE CASCADE);
           INSERT INTO booking VALUES (7, 1);`,
        );
        await write(
          '20250104000000_redefine',
          `PRAGMA foreign_keys=OFF;
           CREATE TABLE new_space (id INTEGER NOT NULL PRIMARY KEY, title TEXT);
           INSERT INTO new_space SELECT id, title FROM space;
           DROP TABLE space;
           ALTER TABLE new_space RENAME TO space;
           PRAGMA foreign_keys=ON;`,
        );
        await migrate();
        expect(await database.query('SELECT * FROM booking')).toHaveLength(1);
      });
    }

    if (provider === 'postgresql') {
      test('may hold functions, transactions of their own and concurrent indexes', async () => {
        await write(
          '20250103000000_function',
          `CREATE FUNCTION one() RETURNS integer LANGUAGE plpgsql AS $$
           BEGIN
             RETURN 1;
           END $$;`,
        );
        await write('20250104000000_index', 'CREATE INDEX CONCURRENTLY by_title ON space (title);');
        await write('20250105000000_own', 'BEGIN;\nCREATE TABLE own (id INTEGER);\nCOMMIT;');
        // Others that wait for the lock must not hold up the concurrent index.
        expect((await Promise.all([migrate(), migrate(), migrate()])).flat()).toHaveLength(5);
        expect((await rows()).every((row) => row.finished_at !== null)).toBe(true);

        await write(
          '20250106000000_broken',
          'BEGIN;\nCREATE TABLE b (id INTEGER);\nboom;\nCOMMIT;',
        );
        await expect(migrate()).rejects.toThrow(/20250106000000_broken failed halfway: .*boom/);
        expect((await rows())[5]).toMatchObject({ finished_at: null, logs: expect.any(String) });
      });
    }
  });
}

describe('migrations', () => {
  test('are refused for an address of no known engine, without telling it', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'migrate-'));
    const options = { databaseUrl: 'oracle://scott:tiger@db', migrationsDir: empty, log };
    await expect(applyMigrations(options)).rejects.toThrow(/^A database URL starts with [^@]*$/);
    await rm(empty, { recursive: true });
  });

  test('are refused without their folder', async () => {
    const options = { databaseUrl: 'file::memory:', migrationsDir: '/nowhere/at/all', log };
    await expect(applyMigrations(options)).rejects.toThrow(
      /folder \/nowhere\/at\/all cannot be read/,
    );
  });
});

async function createSqlite(directory: string): Promise<Database> {
  const url = `file:${join(directory, 'test.sqlite')}`;
  return {
    url,
    async query(sql) {
      const client = createClient({ url });
      try {
        return (await client.execute(sql)).rows as unknown as Record<string, unknown>[];
      } finally {
        client.close();
      }
    },
    openTransaction: () => Promise.reject(new Error('SQLite has one writer.')),
    drop: async () => {},
  };
}

async function createPostgres(): Promise<Database> {
  const server = process.env.TEST_POSTGRES_URL as string;
  const name = `migrate_${randomUUID().replaceAll('-', '')}`;
  const query = async (connectionString: string, sql: string) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return {
    url: url.href,
    query: (sql) => query(url.href, sql),
    async openTransaction(sql) {
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      const { rows } = await client.query('SELECT pg_backend_pid() AS id');
      await client.query('BEGIN');
      await client.query(sql);
      return { id: rows[0].id, end: () => client.end() };
    },
    drop: async () => {
      await query(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function createMariadb(): Promise<Database> {
  const server = new URL((process.env.TEST_MARIADB_URL as string).replace(/^mysql:/, 'mariadb:'));
  const name = `migrate_${randomUUID().replaceAll('-', '')}`;
  const query = async (address: URL, sql: string) => {
    const connection = await mariadb.createConnection(`${address.href}?timezone=Z`);
    try {
      return await connection.query(sql);
    } finally {
      await connection.end();
    }
  };
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = name;
  return {
    url: url.href.replace(/^mariadb:/, 'mysql:'),
    query: (sql) => query(url, sql),
    async openTransaction(sql) {
      const connection = await mariadb.createConnection(url.href);
      await connection.query('START TRANSACTION');
      await connection.query(sql);
      const { threadId } = connection;
      return { id: Number(threadId), end: () => connection.end() };
    },
    drop: async () => {
      await query(server, `DROP DATABASE ${name}`);
    },
  };
}

async function untilWarned(times: number): Promise<void> {
  while (warnings.length < times) await new Promise((resolve) => setTimeout(resolve, 20));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
