import type pg from 'pg';

/** Statements that lock their table against readers too. A dropped index locks its table. */
const EXCLUSIVE =
  /\b(?:(?:ALTER|DROP)\s+(?:TABLE|INDEX)|TRUNCATE(?:\s+TABLE)?|DROP\s+TRIGGER\s+\S+\s+ON)\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?([\w."]+)/gi;
const COMMENT = /--.*$|\/\*[\s\S]*?\*\//gm;

/** Existing tables that are named themselves, or by an index of theirs. */
const TABLES_QUERY = `SELECT format('%I.%I', n.nspname, t.relname) AS table,
    bool_or(named.relname = ANY($2)) AS exclusive
  FROM pg_class named
  LEFT JOIN pg_index i ON i.indexrelid = named.oid
  JOIN pg_class t ON t.oid = coalesce(i.indrelid, named.oid) AND t.relkind IN ('r', 'p')
  JOIN pg_namespace n ON n.oid = t.relnamespace
  WHERE named.relname = ANY($1) AND n.nspname = ANY(current_schemas(false))
  GROUP BY 1 ORDER BY 2 DESC, 1`;

/**
 * Locks, in the transaction of a migration, the existing tables that its script names, before the script
 * changes any: for readers too where it alters them, else for writers.
 *
 * A transaction that uses two of the tables may have one when the script has the other, and PostgreSQL then
 * fails one of both after `deadlock_timeout`. So the first table is waited for as long as the session's
 * `lock_timeout` says, and all others together for `maxTotalMs`, as is each lock that the script itself wants
 * afterwards: with less than `deadlock_timeout` the migration always gives way. Rejects with PostgreSQL's 55P03.
 */
export async function lockTables(
  client: pg.Client,
  sql: string,
  maxTotalMs: number,
): Promise<void> {
  const script = sql.replace(COMMENT, ' ');
  const named = [...new Set(script.match(/\w+/g))];
  const altered = [...script.matchAll(EXCLUSIVE)].map(([, name]) => toRelation(name as string));
  const { rows } = await client.query<{ table: string; exclusive: boolean }>(TABLES_QUERY, [
    named,
    altered,
  ]);
  let deadline: number | undefined;
  for (const { table, exclusive } of rows) {
    if (deadline !== undefined) await setLockTimeout(client, deadline - performance.now());
    const mode = exclusive ? 'ACCESS EXCLUSIVE' : 'SHARE ROW EXCLUSIVE';
    await client.query(`LOCK TABLE ${table} IN ${mode} MODE`);
    deadline ??= performance.now() + maxTotalMs;
  }
  if (deadline !== undefined) await setLockTimeout(client, maxTotalMs);
}

/** Until the transaction ends. PostgreSQL takes 0 as no limit. */
async function setLockTimeout(client: pg.Client, ms: number): Promise<void> {
  const value = String(Math.max(1, Math.floor(ms)));
  await client.query("SELECT set_config('lock_timeout', $1, true)", [value]);
}

/** `"public"."booking"` → `booking`. */
function toRelation(name: string): string {
  return name.replaceAll('"', '').split('.').at(-1) as string;
}
