import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { PrismaClient as MysqlClient } from '#prisma/mypage/generated/mysql/client.ts';
import { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { OneConnectionLibSql } from './one-connection.ts';

/**
 * Opens the read model's database: SQLite for `file:` URLs, MariaDB or MySQL for `mysql:` ones. Both
 * clients come from one schema and offer the same queries; SQLite's types stand for both.
 */
export async function openViewDatabase(url: string): Promise<PrismaClient> {
  if (url.startsWith('file:')) {
    const prisma = new PrismaClient({ adapter: new OneConnectionLibSql({ url }) });
    // Readers go on while a group of events is written.
    await prisma.$queryRawUnsafe('PRAGMA journal_mode = WAL');
    return prisma;
  }
  const adapter = new PrismaMariaDb(bounded(url.replace(/^mysql:/, 'mariadb:')));
  return new MysqlClient({ adapter }) as unknown as PrismaClient;
}

/** Adds what ends a half-open connection, on which a statement would wait for ever. */
function bounded(url: string): string {
  const address = new URL(url);
  const defaults = {
    // Milliseconds of silence; it ends idle connections too, so few are kept, and not for long.
    socketTimeout: '20000',
    minimumIdle: '1',
    // In seconds.
    idleTimeout: '15',
  };
  for (const [name, value] of Object.entries(defaults)) {
    if (!address.searchParams.has(name)) address.searchParams.set(name, value);
  }
  return address.href;
}
