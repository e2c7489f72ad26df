import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { TcpProxy } from '../../tests/faults/tcp-proxy.ts';
import { createDatabase, silent } from '../../tests/support/database.ts';
import { boundSilence, inTransaction, openPostgres } from '../src/postgres.ts';

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

  test('gives up half-open connections, those that wait for an answer and idle ones', async () => {
    const pool = new pg.Pool({ connectionString: proxy.through(database.url), max: 4 });
    pool.on('error', () => {});
    boundSilence(pool, 1_000);
    const ask = () => pool.query('SELECT 1');
    await Promise.all([ask(), ask(), ask(), ask()]);
    expect(pool.totalCount).toBe(4);
    proxy.silenceOpen();
    await expect(inTransaction(pool, (db) => db.query('SELECT 1'))).rejects.toThrow(/silent/);
    // Of the four silent connections none is left: the next one would have failed, too.
    await expect(ask()).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });

  test('lets a statement take its time for as long as its connection lives', async () => {
    const pool = new pg.Pool({ connectionString: proxy.through(database.url), max: 1 });
    boundSilence(pool, 1_000, { heartbeat: true });
    await pool.query('SELECT 1');
    await expect(pool.query('SELECT pg_sleep(0.7)')).resolves.toMatchObject({ rowCount: 1 });
    await pool.end();
  });

  test('survives that a connection ends between two statements of a transaction', async () => {
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
});
