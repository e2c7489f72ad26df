import { readFileSync } from 'node:fs';
import pg from 'pg';
import { projectFile } from '#platform/config/project.ts';
import { until } from '../../support/system.ts';
import type { EmbeddedSystem } from './embedded-system.ts';

const COPY = 'book_earlier';

/** Copies book's database as it is now, under the running system. */
export function copyBook({ urls }: EmbeddedSystem): Promise<void> {
  return withoutConnections(urls.admin, async (admin) => {
    await admin.query(`CREATE DATABASE ${COPY} TEMPLATE book`);
  });
}

/** The SQL of the runbook that is run on the restored database before book starts. */
function readRunbookSql(): string {
  const runbook = readFileSync(projectFile('docs/operations/backup.md'), 'utf8');
  const [, sql] = /```sql\n(.+?)```/s.exec(runbook) ?? [];
  if (!sql) throw new Error('The runbook has no SQL.');
  return sql;
}

/**
 * Gives book the copy in place of its database, as after a restore of that database alone, runs the SQL of the
 * runbook, and restarts book.
 */
export async function restoreBook({ system, urls }: EmbeddedSystem): Promise<void> {
  const copyUrl = Object.assign(new URL(urls.admin), { pathname: `/${COPY}` }).href;
  const copy = new pg.Client({ connectionString: copyUrl });
  await copy.connect();
  await copy.query(readRunbookSql());
  await copy.end();
  await withoutConnections(urls.admin, async (admin) => {
    await admin.query('ALTER DATABASE book RENAME TO book_lost');
    await admin.query(`ALTER DATABASE ${COPY} RENAME TO book`);
  });
  const { pid } = system.instance().services.book ?? {};
  if (pid) process.kill(pid, 'SIGKILL');
  await until(
    'book runs again',
    async () => {
      const { pid: now, url } = system.instance().services.book ?? {};
      if (!now || now === pid) return false;
      return fetch(`${url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    },
    60,
  );
}

/** PostgreSQL copies and renames only a database without connections; the services connect again afterwards. */
async function withoutConnections(
  adminUrl: string,
  work: (admin: pg.Client) => Promise<void>,
): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query('ALTER DATABASE book ALLOW_CONNECTIONS false');
    await until('nobody is connected', async () => {
      const { rowCount } = await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'book'",
      );
      return rowCount === 0;
    });
    await work(admin);
  } finally {
    await admin.query('ALTER DATABASE book ALLOW_CONNECTIONS true');
    await admin.end();
  }
}
