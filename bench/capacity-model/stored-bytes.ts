import { createClient } from '@libsql/client';
import { query } from '../measurement/query.ts';
import type { System } from '../system/system.ts';

/** What is stored and written, in bytes. */
export interface StoredBytes {
  /** Tables with their indexes, by context; PostgreSQL's catalogues are left out. */
  byContext: Record<string, number>;
  /** Of the write-ahead log of PostgreSQL, the queue included. */
  walBytes: number;
}

const POSTGRES_CONTEXTS = ['book', 'payment', 'space'];

/** Reads the present sizes, and the end of the log. */
export async function readStoredBytes({ postgresUrl, instance }: System): Promise<StoredBytes> {
  const byContext: Record<string, number> = {};
  for (const context of POSTGRES_CONTEXTS) {
    const [size] = await query<{ bytes: number }>(
      postgresUrl(context),
      `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
         WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    byContext[context] = size?.bytes ?? 0;
  }
  byContext.mypage = await sqliteBytes(instance.databases.mypage as string);
  const [wal] = await query<{ bytes: number }>(
    postgresUrl('postgres'),
    "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 AS bytes",
  );
  return { byContext, walBytes: wal?.bytes ?? 0 };
}

async function sqliteBytes(url: string): Promise<number> {
  const client = createClient({ url });
  try {
    const { rows } = await client.execute(
      'SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()',
    );
    return Number(rows[0]?.bytes);
  } finally {
    client.close();
  }
}
