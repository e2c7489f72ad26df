import { type Haproxy, runHaproxy } from '../replicas/haproxy.ts';
import type { RunFolder } from '../run-folder.ts';
import { type MariaDb, startMariaDb } from '../system/mariadb.ts';
import { reservePort } from '../system/ports.ts';
import type { Servers } from '../system/servers.ts';
import { type ProxiedServers, toDatabaseProxyConfig } from './database-proxy.ts';
import { PostgresPair } from './postgres-pair.ts';
import { RedisPair } from './redis-pair.ts';

const WAIT_SECONDS = 60;

/** Two PostgreSQL servers and two Redis behind HAProxy, and a MariaDB. */
export interface DatabaseServers extends Servers {
  mariaDb: MariaDb;
  postgresPair: PostgresPair;
  redisPair: RedisPair;
  proxy: Haproxy;
}

export async function startDatabaseServers(
  folder: RunFolder,
  logs: string,
): Promise<DatabaseServers> {
  const postgres: ProxiedServers = {
    port: await reservePort(),
    servers: [
      { name: 'postgres-1', port: await reservePort(), checkPort: await reservePort() },
      { name: 'postgres-2', port: await reservePort(), checkPort: await reservePort() },
    ],
  };
  const redis: ProxiedServers = {
    port: await reservePort(),
    servers: [
      { name: 'redis-1', port: await reservePort() },
      { name: 'redis-2', port: await reservePort() },
    ],
  };
  const postgresPair = await PostgresPair.start(postgres, folder, logs);
  const redisPair = await RedisPair.start(redis, folder, logs);
  const mariaDb = await startMariaDb(folder.path, logs, folder.log);
  folder.onStop(mariaDb.stop);
  const statsPort = await reservePort();
  const config = toDatabaseProxyConfig({ postgres, redis }, statsPort);
  const proxy = await runHaproxy('database-proxy', config, { ...folder, logs, statsPort });
  const { signal } = new AbortController();
  for (const name of [postgresPair.primaryName, redisPair.masterName]) {
    await proxy.waitUntilUp(name, WAIT_SECONDS, signal);
  }
  return {
    postgres: postgresPair.postgres,
    redis: redisPair.redis,
    mariaDb,
    viewsUrl: mariaDb.url,
    postgresPair,
    redisPair,
    proxy,
  };
}
