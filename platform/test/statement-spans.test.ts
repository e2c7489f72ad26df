import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { createDatabase } from '../../tests/support/database.ts';
import { exportedSpans } from '../../tests/support/exported-spans.ts';
import { withStatementSpans } from '../database/statement-spans.ts';
import { inSpan } from '../tracing/tracing.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
beforeAll(async () => {
  database = await createDatabase();
  await database.query(
    `CREATE TABLE use (id int PRIMARY KEY, slot int4range, EXCLUDE USING gist (slot WITH &&))`,
  );
});
afterAll(() => database?.drop());

/** The names of the spans of one statement through Prisma's adapter, and whether each has failed. */
async function spansOf(sql: string): Promise<[name: string, isFailed: boolean][]> {
  const adapter = withStatementSpans(new PrismaPg(database.pool), 'postgresql');
  const connection = await adapter.connect();
  const statement = () => connection.executeRaw({ sql, args: [], argTypes: [] });
  const spans = await exportedSpans(() => inSpan('request', {}, () => statement().catch(() => {})));
  return spans
    .filter(({ name }) => name !== 'request')
    .map(({ name, isFailed }) => [name, isFailed]);
}

test.each([
  ['SELECT "public"."use"."id" FROM "public"."use" WHERE TRUE', 'SELECT use'],
  ['INSERT INTO "public"."use" ("id") VALUES (9)', 'INSERT use'],
  ['UPDATE use SET slot = NULL', 'UPDATE use'],
  ['DELETE FROM use', 'DELETE use'],
  ['select 1', 'SELECT'],
])('the span of %s has the name %s', async (sql, name) => {
  expect(await spansOf(sql)).toEqual([[name, false]]);
});

test('a constraint that a statement violates is no failure, and a missing table is one', async () => {
  const insert = `INSERT INTO use VALUES (1, '[1,3)')`;
  expect(await spansOf(insert)).toEqual([['INSERT use', false]]);
  expect(await spansOf(insert)).toEqual([['INSERT use', false]]);
  expect(await spansOf(`INSERT INTO use VALUES (2, '[2,4)')`)).toEqual([['INSERT use', false]]);
  expect(await spansOf('SELECT FROM no_table')).toEqual([['SELECT no_table', true]]);
});
