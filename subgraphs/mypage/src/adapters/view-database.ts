import { createClient } from '@libsql/client';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { createConnection } from 'mariadb';
import { withStatementSpans } from '#platform/database/statement-spans.ts';
import { openProbe, type Probe, type ProbeConnection } from '#platform/lifecycle/readiness.ts';
import { PrismaClient as MysqlClient } from '#prisma/mypage/generated/mysql/client.ts';
import { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { OneConnectionLibSql } from './one-connection.ts';

/**
 * Opens the read model's database: SQLite for `file:` URLs, MariaDB or MySQL for `mysql:` ones. Both
 * clients come from one schema and offer the same queries; SQLite's types stand for both.
 */
export async function openViewDatabase(url: string): Promise<PrismaClient> {
  if (isFile(url)) {
    const adapter = withStatementSpans(new OneConnectionLibSql({ url }), 'sqlite');
    const prisma = new PrismaClient({ adapter });
    // Readers continue while a batch of events is written.
    await prisma.$queryRawUnsafe('PRAGMA journal_mode = WAL');
    return prisma;
  }
  const adapter = withStatementSpans(new PrismaMariaDb(bounded(mariaDbUrl(url))), 'mariadb');
  return new MysqlClient({ adapter }) as unknown as PrismaClient;
}

/** The read model's database, as the service uses it. */
export interface ViewDatabase {
  /** For requests of clients. */
  requests: PrismaClient;
  /** For consumers, rebuilds and deletions; on MariaDB with connections of their own. */
  workers: PrismaClient;
  close(): Promise<void>;
}

export async function openViewPools(url: string): Promise<ViewDatabase> {
  const requests = await openViewDatabase(url);
  // SQLite has one writer, and waiting for its lock blocks the process: a second client would keep the
  // first from releasing the lock.
  const workers = isFile(url) ? requests : await openViewDatabase(url);
  return {
    requests,
    workers,
    close: async () => void (await Promise.all([requests.$disconnect(), workers.$disconnect()])),
  };
}

/** A probe of that database. */
export function viewProbe(url: string): Probe {
  return openProbe(isFile(url) ? () => probeFile(url) : () => probeMariaDb(mariaDbUrl(url)));
}

async function probeFile(url: string): Promise<ProbeConnection> {
  const client = createClient({ url });
  return {
    // Read from the file: it may be gone, or no database any more.
    query: () => client.execute('SELECT count(*) FROM sqlite_master'),
    destroy: () => client.close(),
  };
}

async function probeMariaDb(url: string): Promise<ProbeConnection> {
  const connection = await createConnection(url);
  // An unhandled error would end the process; the next check finds the connection closed.
  connection.on('error', () => {});
  // Its timeout, which the types lack, closes a silent connection. destroy() during a command would open
  // another connection to kill it, whose errors cannot be handled.
  const { ping } = connection as unknown as { ping(timeoutMs: number): Promise<void> };
  return { query: () => ping.call(connection, PING_MS), destroy: () => connection.destroy() };
}

/** Less than the timeout of a probe's check. */
const PING_MS = 1_500;

const isFile = (url: string) => url.startsWith('file:');
const mariaDbUrl = (url: string) => url.replace(/^mysql:/, 'mariadb:');

/**
 * Ends the session of a process that hangs within a transaction (seconds): its locks would keep every other replica
 * from storing views. MySQL, which has no such variable, skips the comment. No spaces: the driver does not decode them.
 */
const INIT_SQL = 'SET/**/@spacerent=1/*M!,idle_transaction_timeout=15*/';

/** Adds timeouts that end a half-open connection, on which a statement would wait for ever. */
function bounded(url: string): string {
  const address = new URL(url);
  const defaults = {
    // Milliseconds of silence. It ends idle connections as well, so few are kept, and briefly.
    socketTimeout: '20000',
    minimumIdle: '1',
    // In seconds.
    idleTimeout: '15',
    initSql: INIT_SQL,
  };
  for (const [name, value] of Object.entries(defaults)) {
    if (!address.searchParams.has(name)) address.searchParams.set(name, value);
  }
  return address.href;
}
