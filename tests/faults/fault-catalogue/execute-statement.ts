import pg from 'pg';

/** Executes one statement on a connection of its own. Returns the number of affected rows. */
export async function executeStatement(
  url: string,
  sql: string,
  values?: unknown[],
): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
