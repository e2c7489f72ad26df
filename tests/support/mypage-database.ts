import { createClient } from '@libsql/client';
import mariadb from 'mariadb';
import type { System } from './system.ts';

// biome-ignore lint/suspicious/noExplicitAny: rows are what the statement selects
type Row = any;

/** Runs one statement on the database of mypage, SQLite or MariaDB, and resolves with its rows. */
export async function mypageSql(
  system: System,
  text: string,
  values: string[] = [],
): Promise<Row[]> {
  const url = system.instance().databases.mypage;
  if (url.startsWith('file:')) {
    const client = createClient({ url });
    await client.execute('PRAGMA busy_timeout = 5000');
    const { rows } = await client.execute({ sql: text, args: values });
    client.close();
    return rows;
  }
  const connection = await mariadb.createConnection(url.replace(/^mysql:/, 'mariadb:'));
  const rows = await connection.query(text, values);
  await connection.end();
  return rows;
}
