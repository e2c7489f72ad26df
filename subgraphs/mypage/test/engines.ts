import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMariaDbViews, migrate } from '../../../tests/support/database.ts';

export interface Engine {
  name: string;
  /** MariaDB has writers on several connections; SQLite has one client that takes turns. */
  clients: number;
  create(): Promise<{ url: string; drop(): Promise<void> }>;
}

/** The engines that this run can test the views on. */
export const engines: Engine[] = [{ name: 'SQLite', clients: 1, create: createSqliteViews }];
if (process.env.TEST_MARIADB_URL) {
  engines.push({ name: 'MariaDB', clients: 3, create: createMariaDbViews });
}

async function createSqliteViews() {
  const folder = await mkdtemp(join(tmpdir(), 'views-'));
  const url = `file:${join(folder, 'mypage.sqlite')}`;
  await migrate(url, 'prisma/mypage/migrations/sqlite');
  return { url, drop: () => rm(folder, { recursive: true, force: true }) };
}
