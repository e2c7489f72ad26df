import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import mariadb from 'mariadb';
import pg from 'pg';

/**
 * @template T
 * @typedef {(databaseUrl: string) => T | Promise<T>} Work
 */
/** @typedef {Record<string, unknown>} Row */

/**
 * A database of its own, gone afterwards, for what `work` does with its address.
 *
 * @template T
 * @param {Work<T>} work
 * @returns {Promise<T>}
 */
export async function withScratchSqlite(work) {
  const folder = mkdtempSync(join(tmpdir(), 'spacerent-scratch-'));
  try {
    return await work(`file:${join(folder, 'scratch.sqlite')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @template T
 * @param {string} serverUrl
 * @param {Work<T>} work
 * @returns {Promise<T>}
 */
export function withScratchPostgres(serverUrl, work) {
  const run = async (/** @type {string} */ sql) => queryPostgres(serverUrl, sql);
  const drop = (/** @type {string} */ name) => `DROP DATABASE ${name} WITH (FORCE)`;
  return withScratchDatabase(serverUrl, run, drop, work);
}

/**
 * @template T
 * @param {string} serverUrl
 * @param {Work<T>} work
 * @returns {Promise<T>}
 */
export function withScratchMariadb(serverUrl, work) {
  const run = async (/** @type {string} */ sql) => queryMariadb(serverUrl, sql);
  return withScratchDatabase(serverUrl, run, (name) => `DROP DATABASE ${name}`, work);
}

/**
 * @template T
 * @param {string} serverUrl
 * @param {(sql: string) => Promise<unknown>} run
 * @param {(name: string) => string} drop
 * @param {Work<T>} work
 * @returns {Promise<T>}
 */
async function withScratchDatabase(serverUrl, run, drop, work) {
  const name = `scratch_${randomBytes(8).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = name;
  await run(`CREATE DATABASE ${name}`);
  try {
    return await work(url.href);
  } finally {
    await run(drop(name));
  }
}

/**
 * @param {string} url
 * @param {string} sql
 * @returns {Promise<Row[]>}
 */
export async function queryPostgres(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/**
 * @param {string} url
 * @param {string} sql
 * @returns {Promise<Row[]>}
 */
export async function queryMariadb(url, sql) {
  const connection = await mariadb.createConnection(url.replace(/^mysql:/, 'mariadb:'));
  try {
    return await connection.query(sql);
  } finally {
    await connection.end();
  }
}

/**
 * @param {string} url
 * @param {string} sql
 * @returns {Promise<Row[]>}
 */
export async function querySqlite(url, sql) {
  const client = createClient({ url });
  try {
    return (await client.execute(sql)).rows;
  } finally {
    client.close();
  }
}

/** Starts the embedded PostgreSQL on a fresh folder; needs the build. */
export async function startScratchServer() {
  const { startPostgres } = await import('#supervisor/src/postgres.ts');
  const home = mkdtempSync(join(tmpdir(), 'spacerent-scratch-'));
  /** @type {import('#supervisor/src/supervised-process.ts').SupervisedProcess | undefined} */
  let server;
  const stop = async () => {
    await server?.stop();
    // Where PostgreSQL has to run as another user its data are elsewhere, behind a link.
    const data = join(home, 'postgres');
    for (const path of [realpath(data), home])
      if (path) rmSync(path, { recursive: true, force: true });
  };
  try {
    const urls = await startPostgres({
      home,
      port: await freePort(),
      log: join(home, 'postgres.log'),
      say: () => {},
      onChange: () => {},
      onStarting: (started) => {
        server = started;
      },
      abort: new AbortController().signal,
    });
    return { url: urls.book, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @returns {Promise<number>} */
function freePort() {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @param {string} path */
function realpath(path) {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
