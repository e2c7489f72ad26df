import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { until } from '../../tests/support/system.ts';
import {
  destroyHalfOpenConnections,
  inTransaction,
  openDatabase,
  openPostgres,
} from '../database/postgres.ts';

describe('a database pool', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let proxy: TcpProxy;

  beforeAll(async () => {
    database = await createDatabase();
    const { hostname, port } = new URL(database.url);
    proxy = await TcpProxy.open({ host: hostname, port: Number(port) });
  });

  afterAll(async () => {
    await proxy?.close();
    await database?.drop();
  }, 90_000);

  test('a pool destroys half-open connections, both those that wait for a result and idle ones', async () => {
    const pool = new pg.Pool({ connectionString: proxy.through(database.url), max: 4 });
    pool.on('error', () => {});
    destroyHalfOpenConnections(pool, 1_000);
    const query = () => pool.query('SELECT 1');
    await Promise.all([query(), query(), query(), query()]);
    expect(pool.totalCount).toBe(4);
    proxy.silenceOpen();
    await expect(inTransaction(pool, (db) => db.query('SELECT 1'))).rejects.toThrow(/silent/);
    // None of the four silent connections remains, or this query would fail.
    await expect(query()).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });

  test('a pool destroys idle connections that were lost before a request would use one', async () => {
    const pool = new pg.Pool({ connectionString: proxy.through(database.url), max: 2 });
    pool.on('error', () => {});
    destroyHalfOpenConnections(pool, 500);
    const query = () => pool.query('SELECT 1');
    await Promise.all([query(), query()]);
    proxy.silenceOpen();
    await until('no lost connection is left', async () => pool.totalCount === 0);
    await expect(query()).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });

  test('a pool does not limit a long statement while its connection responds', async () => {
    const pool = new pg.Pool({ connectionString: proxy.through(database.url), max: 1 });
    destroyHalfOpenConnections(pool, 1_000);
    await pool.query('SELECT 1');
    await expect(pool.query('SELECT pg_sleep(0.7)')).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });

  test('a pool continues after a connection ended between two statements of a transaction', async () => {
    const pool = openPostgres(database.url, silent);
    const broken = inTransaction(pool, async (db) => {
      const { rows } = await db.query('SELECT pg_backend_pid() AS pid');
      const ended = new Promise((resolve) => (db as pg.PoolClient).once('end', resolve));
      await database.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      await ended;
      await db.query('SELECT 1');
    });
    await expect(broken).rejects.toThrow(/not queryable/);
    await expect(pool.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });

  test('a pool replaces connections to a server that became read-only, and does not break running transactions', async () => {
    await database.query('CREATE TABLE IF NOT EXISTS written (id int)');
    const [row] = await database.query<{ name: string }>('SELECT current_database() AS name');
    const readOnly = (value: string) =>
      database.query(
        `ALTER DATABASE ${pg.escapeIdentifier(row?.name ?? '')} SET default_transaction_read_only = ${value}`,
      );
    await readOnly('on');
    const pool = openPostgres(database.url, silent, 4);
    const write = () => pool.query('INSERT INTO written VALUES (1)');
    try {
      // All its connections were made while the server was read-only.
      await Promise.all(Array.from({ length: 4 }, () => pool.query('SELECT pg_sleep(0.1)')));
      expect(pool.totalCount).toBe(4);
      await inTransaction(pool, async (reader) => {
        await expect(write()).rejects.toMatchObject({ code: '25006' });
        await readOnly('off');
        await expect(reader.query('SELECT 1')).resolves.toMatchObject({ rowCount: 1 });
      });
      await Promise.all(Array.from({ length: 12 }, write));
    } finally {
      await readOnly('off');
      await pool.end();
    }
  });

  test('blocked workers use no connections of the requests, and blocked requests use none of the workers', async () => {
    await database.query('CREATE TABLE IF NOT EXISTS locked (id int)');
    const { requests, workers, close } = openDatabase(database.url, silent);
    for (const [blocked, free] of [
      [workers, requests],
      [requests, workers],
    ] as const) {
      let waiting: Promise<unknown>[] = [];
      await database.whileLocked('LOCK TABLE locked IN ACCESS EXCLUSIVE MODE', async () => {
        waiting = Array.from({ length: 20 }, () => blocked.query('SELECT FROM locked'));
        await Promise.all(Array.from({ length: 20 }, () => free.query('SELECT 1')));
        expect(blocked.waitingCount).toBeGreaterThan(0);
      });
      await Promise.all(waiting);
    }
    await close();
  });
});
