import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { Pool as HttpPool } from 'undici';
import { openPostgres, type Pool } from '#platform/database/postgres.ts';
import { failureKind, NotUnderstood, RetryLater } from '#platform/messaging/failures.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, silent, type TestDatabase } from '../../../tests/support/database.ts';

let database: TestDatabase;
const pools: Pool[] = [];

beforeAll(async () => {
  database = await createDatabase('book');
});

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await database?.drop();
});

/** A pool of one connection with the server's settings, and Prisma on it. */
function open(settings = '', url = database.url): { pool: Pool; prisma: PrismaClient } {
  const address = new URL(url);
  if (settings) address.searchParams.set('options', settings);
  const pool = openPostgres(address.href, silent, 1);
  pools.push(pool);
  return { pool, prisma: new PrismaClient({ adapter: new PrismaPg(pool) }) };
}

const awaitFailureKind = (work: Promise<unknown>) =>
  work.then(() => 'no failure' as const, failureKind);
const awaitFailureKinds = async ({ pool, prisma }: ReturnType<typeof open>) => [
  await awaitFailureKind(pool.query('DELETE FROM catalogue_space')),
  await awaitFailureKind(prisma.catalogueSpace.deleteMany()),
];
const TRANSIENT = ['transient', 'transient'];

describe('a failure', () => {
  test('a failure is transient when a table is locked for longer than the lock timeout', async () => {
    const waiting = open('-c lock_timeout=100');
    const slow = open();
    Object.assign(slow.pool.options, { statement_timeout: 100 });
    await database.whileLocked('LOCK TABLE catalogue_space', async () => {
      expect(await awaitFailureKinds(waiting)).toEqual(TRANSIENT);
      expect(await awaitFailureKinds(slow)).toEqual(TRANSIENT);
    });
  });

  test('a failure is transient when the pool has no free connection', async () => {
    const busy = open();
    const client = await busy.pool.connect();
    busy.pool.options.connectionTimeoutMillis = 100;
    expect(await awaitFailureKinds(busy)).toEqual(TRANSIENT);
    client.release();
  });

  test('a failure is transient when the server is unreachable', async () => {
    expect(await awaitFailureKinds(open('', 'postgres://user@127.0.0.1:1/x'))).toEqual(TRANSIENT);
  });

  test('a failure is transient when the server has become read-only', async () => {
    expect(await awaitFailureKinds(open('-c default_transaction_read_only=on'))).toEqual(TRANSIENT);
  });

  test('a failure is transient when the server ends the connection', async () => {
    const { pool, prisma } = open();
    const end = 'SELECT pg_terminate_backend(pg_backend_pid())';
    expect(await awaitFailureKind(pool.query(end))).toBe('transient');
    expect(await awaitFailureKind(prisma.$queryRawUnsafe(end))).toBe('transient');
  });

  test('a failure is transient when two transactions cannot be serialized', async () => {
    const conflicting = async ({ pool }: ReturnType<typeof open>) => {
      await database.query('INSERT INTO inbox (event_id) VALUES (gen_random_uuid())');
      await pool.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await pool.query('SELECT count(*) FROM inbox');
      await database.query('DELETE FROM inbox');
      return pool.query('DELETE FROM inbox');
    };
    expect(await awaitFailureKind(conflicting(open()))).toBe('transient');
  });

  test('a failure is transient when another context is unreachable or unavailable', async () => {
    const http = new HttpPool('http://127.0.0.1:1');
    expect(await awaitFailureKind(http.request({ method: 'GET', path: '/' }))).toBe('transient');
    await http.destroy();
    const silentServer = createServer();
    await new Promise<void>((resolve) => silentServer.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silentServer.address() as AddressInfo).port}`;
    const never = fetch(url, { signal: AbortSignal.timeout(50) });
    expect(await awaitFailureKind(never)).toBe('transient');
    silentServer.closeAllConnections();
    await new Promise((resolve) => silentServer.close(resolve));
    expect(await awaitFailureKind(fetch(url))).toBe('transient');
    for (const status of [503, 504]) {
      expect(failureKind(Object.assign(new Error('no'), { statusCode: status }))).toBe('transient');
    }
  });

  test('a failure is transient when a use case says so, also as a cause', () => {
    expect(failureKind(new RetryLater('not yet'))).toBe('transient');
    expect(failureKind(new Error('outer', { cause: new RetryLater('not yet') }))).toBe('transient');
  });

  test('a failure is not understood when the code says so', () => {
    expect(failureKind(new NotUnderstood('unheard of'))).toBe('not-understood');
  });

  test('a failure is poisoned when the statement itself is wrong', async () => {
    const { pool, prisma } = open();
    const wrong = [
      pool.query('SELECT FROM nowhere'),
      pool.query("SELECT 'no id'::uuid"),
      pool.query('INSERT INTO inbox (event_id) VALUES (NULL)'),
      prisma.booking.deleteMany({ where: { id: 'no id' } }),
      prisma.$executeRawUnsafe('INSERT INTO inbox (event_id) VALUES (NULL)'),
    ];
    expect(await Promise.all(wrong.map(awaitFailureKind))).toEqual(wrong.map(() => 'poisoned'));
  });

  test.each([
    new Error('it does not agree with us'),
    new TypeError('x is not a function'),
    'a text',
    undefined,
    Object.assign(new Error('refused'), { statusCode: 400 }),
  ])('a failure is poisoned when it is not known to be transient: %p', (error) => {
    expect(failureKind(error)).toBe('poisoned');
  });

  test('a failure that is its own cause is classified too', () => {
    const error = new Error('round');
    error.cause = error;
    expect(failureKind(error)).toBe('poisoned');
  });
});
