import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mariadb';
import { projectFile } from '#platform/config/project.ts';
import { applyMigrations } from '#platform/database/migrate.ts';

export interface ScratchDatabase {
  engine: 'SQLite' | 'MariaDB';
  url: string;
  drop(): Promise<void>;
}

/** A file on the project's disk, with mypage's tables. */
export async function createSqlite(): Promise<ScratchDatabase> {
  const folder = await mkdtemp(join(projectFile('.spacerent'), 'bench-'));
  const url = `file:${join(folder, 'mypage.sqlite')}`;
  await migrate(url, 'sqlite');
  return { engine: 'SQLite', url, drop: () => rm(folder, { recursive: true, force: true }) };
}

/** A database of its own on the server, with mypage's tables; the user must be allowed to create it. */
export async function createMariaDb(serverUrl: string): Promise<ScratchDatabase> {
  const name = `bench_${process.pid}`;
  const server = await createConnection(serverUrl.replace(/^mysql:/, 'mariadb:'));
  await server.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  await migrate(url, 'mysql');
  return {
    engine: 'MariaDB',
    url,
    async drop() {
      await server.query(`DROP DATABASE ${name}`);
      await server.end();
    },
  };
}

async function migrate(databaseUrl: string, engine: 'sqlite' | 'mysql'): Promise<void> {
  const migrationsDir = projectFile(`prisma/mypage/migrations/${engine}`);
  await applyMigrations({ databaseUrl, migrationsDir, log: { info: () => {}, warn: () => {} } });
}
