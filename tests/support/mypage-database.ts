import { createClient } from '@libsql/client';
import mariadb from 'mariadb';
import type { System } from './system.ts';

/** Runs one statement on mypage's own database, whichever engine it is. */
export async function viewSql(system: System, text: string, values: string[] = []): Promise<void> {
  const url = system.instance().databases.mypage;
  if (url.startsWith('file:')) {
    const client = createClient({ url });
    await client.execute('PRAGMA busy_timeout = 5000');
    await client.execute({ sql: text, args: values });
    client.close();
  } else {
    const connection = await mariadb.createConnection(url.replace(/^mysql:/, 'mariadb:'));
    await connection.query(text, values);
    await connection.end();
  }
}
