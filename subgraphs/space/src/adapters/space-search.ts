import type { Pool } from '#platform/database/postgres.ts';
import type { SpaceSearch } from '../ports.ts';

/** The expression of the index `space_text`. */
const TEXT = "lower(name || E'\\n' || description || E'\\n' || address)";

/** The statement of a search: with the given conditions only, so that each can use its index. */
export function searchStatement(
  { text, minCapacity, maxHourlyRate, freeDuring }: SpaceSearch,
  limit: number,
  after: string | null,
): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const parameter = (value: unknown, type: string) => `$${values.push(value)}::${type}`;
  const conditions: string[] = [];
  if (after !== null) conditions.push(`id > ${parameter(after, 'uuid')}`);
  if (text !== null) {
    const wanted = `lower(${parameter(text, 'text')})`;
    // The index finds texts that have all pieces; strpos checks their order.
    conditions.push(`text_pieces(${TEXT}) @> text_pieces(${wanted})`);
    conditions.push(`strpos(${TEXT}, ${wanted}) > 0`);
  }
  if (minCapacity !== null) conditions.push(`capacity >= ${parameter(minCapacity, 'int')}`);
  if (maxHourlyRate !== null) conditions.push(`hourly_rate <= ${parameter(maxHourlyRate, 'int')}`);
  if (freeDuring !== null) {
    const { startAt, endAt } = freeDuring;
    const range = `tstzrange(${parameter(startAt, 'timestamptz')}, ${parameter(endAt, 'timestamptz')}, '[)')`;
    // NOT EXISTS could be planned as a join that reads every live slot of a wide range.
    conditions.push(`NOT coalesce((
      SELECT TRUE FROM occupied_slot o
       WHERE o.space_id = s.id AND o.live AND tstzrange(o.start_at, o.end_at, '[)') && ${range}
       LIMIT 1), FALSE)`);
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join('\n  AND ')}` : '';
  return {
    text: `SELECT id FROM space s ${where} ORDER BY id LIMIT ${parameter(limit, 'int')}`,
    values,
  };
}

/**
 * The ids of at most `limit` spaces after the space `after`, oldest first. The statement has no name:
 * PostgreSQL plans it for its values, and a common text needs another plan than a rare one.
 */
export async function findSpaceIds(
  pool: Pool,
  search: SpaceSearch,
  limit: number,
  after: string | null,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(searchStatement(search, limit, after));
  return rows.map(({ id }) => id);
}
