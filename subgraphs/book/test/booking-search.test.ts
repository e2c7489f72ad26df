import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { createMetrics } from '#platform/observability/metrics.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { bookingMetrics } from '../src/adapters/booking-metrics.ts';
import { bookingSearch } from '../src/adapters/booking-search.ts';
import type { BookingFilter, BookingSearch } from '../src/ports.ts';

const ROWS = 300_000;
const BATCH_SIZE = 50_000;
const SPACE = uuidv7();
const ANY: BookingFilter = {
  customerId: null,
  hostId: null,
  spaceId: null,
  status: null,
  startsFrom: null,
  startsBefore: null,
  stuck: null,
};

let database: TestDatabase;
let search: BookingSearch;

// Rows by hand, with neither triggers nor the exclusion constraint: three hundred thousand bookings.
beforeAll(async () => {
  database = await createDatabase('book');
  search = bookingSearch(database.pool);
  const client = await database.pool.connect();
  try {
    await client.query("SET statement_timeout = '120s'; SET session_replication_role = replica");
    await client.query('ALTER TABLE booking DROP CONSTRAINT booking_no_overlap');
    const insert = (first: number) =>
      client.query(
        `INSERT INTO booking (id, customer_id, idempotency_key, space_id, host_id, space_name,
              time_zone, start_at, end_at, headcount, price_amount, currency, refund_tiers,
              payment_method, payment_method_digest, status, live, version, requested_at,
              hold_expires_at, correlation_id, status_since, deadline_at)
       SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'customer-' || n % 3000,
              'k' || n, CASE WHEN n % 1000 = 0 THEN $1::uuid ELSE md5((n % 999)::text)::uuid END,
              'host-' || n % 500, 'Loft', 'Asia/Seoul', s.at, s.at + interval '1 hour', 1, 1000,
              'KRW', '[]', '', '', st.status::booking_status,
              st.status IN ('PAID', 'REGISTERED', 'CANCELLING'), 1, now(), now(), 'test',
              now() - (n % 100) * interval '1 second',
              CASE WHEN n % 20000 = 0 THEN now() - interval '1 second'
                   WHEN st.status IN ('PAID', 'CANCELLING') THEN now() + interval '1 hour' END
         FROM generate_series(${first}, ${first + BATCH_SIZE - 1}) n,
              LATERAL (SELECT '2030-01-01'::timestamptz + n * interval '1 minute' AS at) s,
              LATERAL (SELECT CASE WHEN n % 20000 = 0 THEN 'CANCELLING' WHEN n % 10000 = 7 THEN 'PAID'
                                   WHEN n % 10 = 3 THEN 'CANCELLED' ELSE 'REGISTERED' END AS status) st`,
        [SPACE],
      );
    // In batches: a connection without a response for 20 s is closed as half-open.
    for (let first = 1; first <= ROWS; first += BATCH_SIZE) await insert(first);
    await client.query('ANALYZE booking');
  } finally {
    client.release(true);
  }
}, 180_000);

afterAll(() => database?.drop());

const find = async (filter: Partial<BookingFilter>, limit = 21, after: string | null = null) =>
  (await search.search({ ...ANY, ...filter }, limit, after)).map(({ state }) => state);

describe('the search for bookings', () => {
  test('a search without a filter finds all bookings, newest first, page by page', async () => {
    const first = await find({}, 3);
    expect(first.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      `k${ROWS}`,
      `k${ROWS - 1}`,
      `k${ROWS - 2}`,
    ]);
    const [next] = await find({}, 1, first[2]?.id);
    expect(next?.idempotencyKey).toBe(`k${ROWS - 3}`);
  });

  test.each<[string, Partial<BookingFilter>, Record<string, unknown>, number]>([
    ['a customer', { customerId: 'customer-7' }, { customerId: 'customer-7' }, 100],
    ['a host', { hostId: 'host-7' }, { hostId: 'host-7' }, 600],
    ['a space', { spaceId: SPACE }, { spaceId: SPACE }, 300],
    ['a status', { status: ['PAID'] }, { status: 'PAID' }, 30],
    ['stuck ones', { stuck: true }, { status: 'CANCELLING' }, 15],
    ['a space and a status', { spaceId: SPACE, status: ['CANCELLING'] }, { spaceId: SPACE }, 15],
    ['none of no status', { status: [] }, {}, 0],
  ])(
    'a search for %s finds all of those and nothing else',
    async (_name, filter, expected, count) => {
      const found = await find(filter, 1_000);
      expect(found).toHaveLength(count);
      for (const state of found) expect(state).toMatchObject(expected);
      expect(found.map(({ id }) => id)).toEqual(
        found
          .map(({ id }) => id)
          .sort()
          .reverse(),
      );
    },
  );

  test('a search for several statuses finds each of them', async () => {
    const found = await find({ status: ['PAID', 'CANCELLING'] }, 1_000);
    expect(found).toHaveLength(45);
  });

  test('a search for bookings that are not stuck leaves out the stuck ones', async () => {
    const found = await find({ stuck: false, status: ['CANCELLING', 'PAID'] }, 1_000);
    expect(found).toHaveLength(30);
  });

  test('a search for a range includes its start and excludes its end', async () => {
    const found = await find({
      startsFrom: new Date('2030-01-01T01:00:00Z'),
      startsBefore: new Date('2030-01-01T01:03:00Z'),
    });
    expect(found.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['k62', 'k61', 'k60']);
  });

  test.each<[string, Partial<BookingFilter>]>([
    ['everything', {}],
    ['a customer', { customerId: 'customer-7' }],
    ['a host', { hostId: 'host-7' }],
    ['a space', { spaceId: SPACE }],
    ['a rare status', { status: ['PAID'] }],
    ['a frequent status', { status: ['REGISTERED'] }],
    ['two rare statuses', { status: ['PAID', 'CANCELLING'] }],
    ['stuck ones', { stuck: true }],
    ['a host and a status', { hostId: 'host-7', status: ['CANCELLED'] }],
    [
      'an hour',
      {
        startsFrom: new Date('2030-03-01T00:00:00Z'),
        startsBefore: new Date('2030-03-01T01:00:00Z'),
      },
    ],
  ])('a search for %s reads few pages of a large table', async (_name, filter) => {
    const statements: { text: string; values: unknown[] }[] = [];
    const pool = {
      query: async (text: string, values: unknown[]) => {
        statements.push({ text, values });
        return { rows: [] };
      },
    };
    await bookingSearch(pool as never).search({ ...ANY, ...filter }, 21, null);
    const [{ text, values }] = statements as [{ text: string; values: unknown[] }];
    const [row] = await database.query<{ 'QUERY PLAN': [{ Plan: Record<string, unknown> }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
      values,
    );
    const plan = row?.['QUERY PLAN'][0].Plan as Record<string, number>;
    // The table alone has some 9,000.
    const pages = (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
    expect(pages).toBeLessThan(900);
  });
});

describe('the metrics of bookings', () => {
  test('the metrics show the age of the oldest booking of each pending status, and how many are stuck', async () => {
    const metrics = createMetrics('test');
    bookingMetrics(database.pool, metrics);
    const text = await metrics.metrics();
    expect(text).toMatch(/spacerent_stuck_bookings\{service="test"\} 15\n/);
    expect(text).toMatch(
      /spacerent_oldest_booking_seconds\{status="REQUESTED",service="test"\} 0\n/,
    );
    expect(text).toMatch(/spacerent_oldest_booking_seconds\{status="PAID",service="test"\} \d+/);
    expect(text).toMatch(
      /spacerent_oldest_booking_seconds\{status="CANCELLING",service="test"\} \d+/,
    );
  });
});
