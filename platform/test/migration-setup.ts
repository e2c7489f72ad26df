import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from '@jest/globals';
import { applyMigrations } from '../database/migrate.ts';
import { type Engine, engines, type MigrationDatabase } from './migration-databases.ts';

export const SPACE =
  'CREATE TABLE space (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(40) NOT NULL);';
export const PRICE = `-- A comment; with a semicolon.
ALTER TABLE space ADD COLUMN price INTEGER NULL;
INSERT INTO space (id, title, price) VALUES (1, 'loft; with a view', 100);`;

type Options = Partial<Parameters<typeof applyMigrations>[0]>;

/** An empty database of one engine and a folder of migrations, both new for each test. */
export class MigrationSetup {
  readonly provider: Engine['provider'];
  readonly #create: Engine['create'];
  folder = '';
  migrationsDir = '';
  warnings: { migrations?: string[]; blockedBy?: string }[] = [];
  #database: MigrationDatabase | undefined;

  constructor({ provider, create }: Engine) {
    this.provider = provider;
    this.#create = create;
  }

  get database(): MigrationDatabase {
    return this.#database as MigrationDatabase;
  }

  /** Writes two migrations, and applies none. */
  async open(): Promise<void> {
    this.warnings = [];
    this.folder = await mkdtemp(join(tmpdir(), 'migrate-'));
    this.migrationsDir = join(this.folder, 'migrations');
    this.#database = await this.#create(this.folder);
    await this.write('20250101000000_space', SPACE);
    await this.write('20250102000000_price', PRICE);
    await writeFile(
      join(this.migrationsDir, 'migration_lock.toml'),
      `# Written by Prisma\nprovider = "${this.provider}"\n`,
    );
  }

  async close(): Promise<void> {
    await this.#database?.drop();
    await rm(this.folder, { recursive: true, force: true });
  }

  migrate(options: Options = {}): Promise<string[]> {
    const log = { info: () => {}, warn: (fields: object) => void this.warnings.push(fields) };
    const { migrationsDir } = this;
    return applyMigrations({ databaseUrl: this.database.url, migrationsDir, log, ...options });
  }

  sqlFile(name: string): string {
    return join(this.migrationsDir, name, 'migration.sql');
  }

  async write(name: string, sql: string): Promise<void> {
    await mkdir(join(this.migrationsDir, name), { recursive: true });
    await writeFile(this.sqlFile(name), sql);
  }

  /** What the database has recorded of applied migrations. */
  rows(): Promise<Record<string, unknown>[]> {
    return this.database.query('SELECT * FROM _prisma_migrations ORDER BY started_at');
  }
}

/** Runs the tests on each engine, or on the given ones; those without a server are skipped. */
export function describeMigrations(
  subject: string,
  tests: (setup: MigrationSetup) => void,
  providers: readonly Engine['provider'][] = engines.map(({ provider }) => provider),
): void {
  for (const engine of engines.filter(({ provider }) => providers.includes(provider))) {
    const describeEngine = engine.isAvailable ? describe : describe.skip;
    describeEngine(`${subject} on ${engine.provider}`, () => {
      const setup = new MigrationSetup(engine);
      beforeEach(() => setup.open());
      afterEach(() => setup.close());
      tests(setup);
    });
  }
}
