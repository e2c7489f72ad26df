import { startMariaDb, startPostgres, startRedis } from './servers.mjs';

/** For the tests of parts: real databases, named in the environment of the tests. */
export default async function startServers() {
  const postgres = await startPostgres();
  process.env.TEST_POSTGRES_URL = postgres.url;
  // Both projects' set-ups run in one process.
  globalThis.stopAll ??= [];
  globalThis.stopAll.push(postgres.stop);
  if (process.env.SPACERENT_TEST_PROFILES?.includes('servers')) {
    const mariaDb = await startMariaDb();
    process.env.TEST_MARIADB_URL = `${mariaDb.url}/mysql`;
    globalThis.stopAll.push(mariaDb.stop);
    const redis = await startRedis('test');
    process.env.TEST_REDIS_URL = `redis://:test@127.0.0.1:${redis.port}`;
    globalThis.stopAll.push(redis.stop);
  }
}
