import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '@libsql/client';
import mariadb from 'mariadb';
import { failureKind } from '#platform/messaging/failures.ts';
import type { PrismaClient } from '#prisma/mypage/generated/sqlite/client.ts';
import { until } from '../../../tests/support/system.ts';
import { openViewDatabase } from '../src/adapters/view-database.ts';
import { engines } from './engines.ts';

const kindOfFailure = (work: PromiseLike<unknown>) =>
  Promise.resolve(work).then(() => 'no failure' as const, failureKind);

/** The kinds of a failure of Prisma's client, a raw statement, and one in a transaction: each is reported differently. */
const failureKinds = async (prisma: PrismaClient, eventId = 'an event') => {
  const raw = `INSERT INTO inbox (generation, event_id) VALUES (1, '${eventId}')`;
  return [
    await kindOfFailure(prisma.inboxEvent.create({ data: { generation: 1, eventId } })),
    await kindOfFailure(prisma.$executeRawUnsafe(raw)),
    await kindOfFailure(prisma.$transaction((tx) => tx.$executeRawUnsafe(raw))),
  ];
};
const TRANSIENT = ['transient', 'transient', 'transient'];
const POISONED = ['poisoned', 'poisoned', 'poisoned'];

describe.each(engines)('a failure on $name', ({ name, create }) => {
  let url: string;
  let drop: () => Promise<void>;
  let prisma: PrismaClient;

  beforeAll(async () => {
    ({ url, drop } = await create());
    prisma = await openViewDatabase(url);
  });

  afterAll(async () => {
    await prisma?.$disconnect();
    await drop?.();
  });

  test('a failure is poisoned when the statement itself is refused', async () => {
    await prisma.inboxEvent.create({ data: { generation: 1, eventId: 'twice' } });
    expect(await failureKinds(prisma, 'twice')).toEqual(POISONED);
    expect(await kindOfFailure(prisma.$queryRawUnsafe('SELECT 1 FROM nowhere'))).toBe('poisoned');
  });

  test('a failure is transient when a transaction exceeds its timeout', async () => {
    const late = prisma.$transaction(
      async (tx) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await tx.inboxEvent.count();
      },
      { timeout: 20 },
    );
    expect(await kindOfFailure(late)).toBe('transient');
  });

  if (name === 'SQLite') {
    test('a failure is transient when another process holds the lock', async () => {
      const other = createClient({ url });
      await other.execute('BEGIN IMMEDIATE');
      expect(await failureKinds(prisma)).toEqual(TRANSIENT);
      await other.execute('ROLLBACK');
      other.close();
    });

    test('a failure is transient when the file is read-only, or cannot grow', async () => {
      await prisma.$queryRawUnsafe('PRAGMA query_only = ON');
      expect(await failureKinds(prisma)).toEqual(TRANSIENT);
      await prisma.$queryRawUnsafe('PRAGMA query_only = OFF');
      await prisma.$queryRawUnsafe('PRAGMA max_page_count = 1');
      const long = 'x'.repeat(100_000);
      expect((await failureKinds(prisma, long)).slice(0, 2)).toEqual(['transient', 'transient']);
      await prisma.$queryRawUnsafe('PRAGMA max_page_count = 1073741823');
    });
  } else {
    const connect = () => mariadb.createConnection(url.replace(/^mysql:/, 'mariadb:'));
    const openWithShortTimeout = () =>
      openViewDatabase(`${url}?connectionLimit=1&minimumIdle=1&acquireTimeout=2000`);

    test('a failure is transient when a row stays locked', async () => {
      const other = await connect();
      const [{ previous }] = await other.query(
        'SELECT @@GLOBAL.innodb_lock_wait_timeout AS previous',
      );
      await other.query('SET GLOBAL innodb_lock_wait_timeout = 1');
      const waiting = await openWithShortTimeout();
      await other.query('BEGIN');
      await other.query("INSERT INTO inbox (generation, event_id) VALUES (1, 'an event')");
      expect(await failureKinds(waiting)).toEqual(TRANSIENT);
      await other.query('ROLLBACK');
      await other.query(`SET GLOBAL innodb_lock_wait_timeout = ${previous}`);
      await other.end();
      await waiting.$disconnect();
    });

    test('a failure is transient when the pool has no free connection', async () => {
      const busy = await openWithShortTimeout();
      const other = await connect();
      await other.query('LOCK TABLES view_generation WRITE');
      const blocked = busy.viewGeneration.count().then(() => 'done');
      await until(
        'the only connection waits for the table',
        async () => {
          const processes = await other.query('SHOW PROCESSLIST');
          return processes.some(({ State }: { State: string | null }) => /table/.test(State ?? ''));
        },
        10,
      );
      expect(await failureKinds(busy)).toEqual(TRANSIENT);
      await other.query('UNLOCK TABLES');
      expect(await blocked).toBe('done');
      await other.end();
      await busy.$disconnect();
    });

    test('a failure is transient when the server is unreachable', async () => {
      const unreachable = await openViewDatabase('mysql://user@127.0.0.1:1/x?acquireTimeout=300');
      expect(await failureKinds(unreachable)).toEqual(TRANSIENT);
      await unreachable.$disconnect();
    });

    test('a failure is transient when the server ends the connection', async () => {
      const other = await connect();
      const killed = prisma.$transaction(async (tx) => {
        const [row] = await tx.$queryRawUnsafe<{ id: string }[]>(
          'SELECT CAST(CONNECTION_ID() AS CHAR) AS id',
        );
        await other.query(`KILL ${row?.id}`);
        await tx.inboxEvent.count();
      });
      expect(await kindOfFailure(killed)).toBe('transient');
      await other.end();
    });
  }
});
