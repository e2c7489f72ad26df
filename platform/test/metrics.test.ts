import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Counter } from 'prom-client';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import { openPostgres, type Pool, statement } from '../database/postgres.ts';
import { databaseGauge } from '../observability/database-gauges.ts';
import { createMetrics } from '../observability/metrics.ts';

const count = statement<{ count: number }>('test-count', 'SELECT count(*)::int AS count FROM room');

let database: Awaited<ReturnType<typeof createDatabase>>;
let proxy: TcpProxy;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE room AS SELECT 1 AS id');
  const { hostname, port } = new URL(database.url);
  proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
  pool = openPostgres(proxy.through(database.url), silent);
});

afterAll(async () => {
  await pool?.end();
  await proxy?.close();
  await database?.drop();
});

function openMetrics() {
  const metrics = createMetrics('test');
  const read = async () => [{ value: (await count(pool))[0]?.count ?? 0 }];
  databaseGauge(metrics, { name: 'rooms', help: 'Rooms' }, read);
  databaseGauge(metrics, { name: 'rooms_by_kind', help: 'Rooms', labelNames: ['kind'] }, async () =>
    (await read()).map(({ value }) => ({ labels: { kind: 'any' }, value })),
  );
  new Counter({ name: 'requests', help: 'Requests', registers: [metrics] }).inc();
  return async () =>
    (await metrics.metrics()).split('\n').filter((line) => /^(rooms|requests)/.test(line));
}

const COUNTER = 'requests{service="test"} 1';
const ALL = ['rooms{service="test"} 1', 'rooms_by_kind{kind="any",service="test"} 1', COUNTER];

/** A gauge shows what it has read for two seconds. */
const isLast = (lines: () => Promise<string[]>, expected: string[]) =>
  until(`the metrics are ${expected.length}`, async () => {
    const last = await lines();
    return expected.length === last.length && expected.every((line) => last.includes(line));
  });

test('a gauge of a database has no sample while the database is away, and hides no other metric', async () => {
  const lines = openMetrics();
  expect(await lines()).toEqual(ALL);
  for (const strike of [() => proxy.refuse(), () => proxy.silenceOpen()]) {
    strike();
    await isLast(lines, [COUNTER]);
    proxy.heal();
    await isLast(lines, ALL);
  }
});

test('a gauge of a locked table holds up a scrape for about a second, not until the lock ends', async () => {
  const lines = openMetrics();
  const locking = await pool.connect();
  try {
    await locking.query('BEGIN');
    await locking.query('LOCK TABLE room');
    expect(await lines()).toEqual([COUNTER]);
  } finally {
    await locking.query('ROLLBACK');
    locking.release();
  }
  await isLast(lines, ALL);
});

test('a gauge is read once in two seconds, however many clients read the metrics, also while it fails', async () => {
  const metrics = createMetrics('test');
  const reads: { end(value: number): void; fail(): void }[] = [];
  databaseGauge(
    metrics,
    { name: 'rooms', help: 'Rooms' },
    () =>
      new Promise<{ value: number }[]>((resolve, reject) => {
        const end = (value: number) => resolve([{ value }]);
        reads.push({ end, fail: () => reject(new Error('away')) });
      }),
  );
  const scrape = async () =>
    (await metrics.metrics())
      .split('\n')
      .filter((line) => /^(rooms|\w+_failures_total)/.test(line));
  const failures = (count: number) =>
    `spacerent_gauge_read_failures_total{gauge="rooms",service="test"} ${count}`;
  const scrapes = Promise.all([scrape(), scrape(), scrape()]);
  reads[0]?.end(7);
  for (const lines of await scrapes) expect(lines).toContain('rooms{service="test"} 7');
  expect(await scrape()).toEqual([failures(0), 'rooms{service="test"} 7']);
  expect(reads).toHaveLength(1);

  await until('the value is old', async () => (await scrape()) && reads.length === 2);
  // The scrape that began the second read has waited a second for it, and so do the next.
  expect(await scrape()).toEqual([failures(1)]);
  expect(reads).toHaveLength(2);
  reads[1]?.fail();
  expect(await scrape()).toEqual([failures(1)]);
  expect(reads).toHaveLength(2);
});
