import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMariaDb, migrate } from '../../../tests/support/database.ts';

export interface Engine {
  name: 'SQLite' | 'MariaDB';
  /** The number of clients that write concurrently: SQLite has a single writer. */
  clients: number;
  /** A fresh database without tables. */
  createEmpty(): Promise<ViewDatabase>;
  create(): Promise<ViewDatabase>;
}

interface ViewDatabase {
  url: string;
  drop(): Promise<void>;
}

/** The engines that this run can test the views on. */
export const engines: Engine[] = [
  {
    name: 'SQLite',
    clients: 1,
    createEmpty: createSqlite,
    create: () => migrated(createSqlite, 'sqlite'),
  },
];
if (process.env.TEST_MARIADB_URL) {
  engines.push({
    name: 'MariaDB',
    clients: 3,
    createEmpty: createMariaDb,
    create: () => migrated(createMariaDb, 'mysql'),
  });
}

async function createSqlite(): Promise<ViewDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'views-'));
  const url = `file:${join(folder, 'mypage.sqlite')}`;
  return { url, drop: () => rm(folder, { recursive: true, force: true }) };
}

async function migrated(create: () => Promise<ViewDatabase>, engine: string) {
  const database = await create();
  await migrate(database.url, `prisma/mypage/migrations/${engine}`);
  return database;
}
