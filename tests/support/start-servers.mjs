import pg from 'pg';
import { startMariaDb, startPostgres, startRedis } from './servers.mjs';
import { stopAtEnd } from './stop-all.mjs';

/** Starts real databases for the tests of parts, and puts their addresses into the environment. */
export default async function startServers() {
  const postgres = await startPostgres();
  process.env.TEST_POSTGRES_URL = postgres.url;
  stopAtEnd(postgres.stop);
  await forgoDurability(postgres.url);
  if (process.env.SPACERENT_TEST_PROFILES?.includes('servers')) {
    const mariaDb = await startMariaDb();
    process.env.TEST_MARIADB_URL = `${mariaDb.url}/mysql`;
    stopAtEnd(mariaDb.stop);
    const redis = await startRedis('test');
    process.env.TEST_REDIS_URL = `redis://:test@127.0.0.1:${redis.port}`;
    stopAtEnd(redis.stop);
  }
}

/**
 * Without waiting for the disk: only a crash of the machine would lose data of the tests.
 *
 * @param {string} connectionString
 */
async function forgoDurability(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('ALTER SYSTEM SET fsync = off');
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}
