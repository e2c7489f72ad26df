import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunFolder } from '../run-folder.ts';
import { type MariaDb, startMariaDb } from './mariadb.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import type { Profile } from './profile.ts';
import { type Redis, startRedis } from './redis.ts';

/** The databases and the queue of a system. */
export interface Servers {
  postgres: Postgres;
  /** Only on the servers profile; the embedded profile has its queue in PostgreSQL. */
  redis: Redis | undefined;
  /** Only on the servers profile; the embedded profile has mypage's views in SQLite. */
  mariaDb: MariaDb | undefined;
  /** The address of mypage's database, not through a proxy. */
  viewsUrl: string;
}

export async function startServers(
  profile: Profile,
  { path, log, onStop }: RunFolder,
  logs: string,
  { withRedis = profile === 'servers' } = {},
): Promise<Servers> {
  const postgres = await startPostgres(path, logs, log);
  onStop(() => postgres.stop());
  let redis: Redis | undefined;
  let mariaDb: MariaDb | undefined;
  if (withRedis) {
    redis = await startRedis(path, logs, log);
    onStop(redis.stop);
  }
  if (profile === 'servers') {
    mariaDb = await startMariaDb(path, logs, log);
    onStop(mariaDb.stop);
  }
  const viewsUrl = mariaDb?.url ?? pathToFileURL(join(path, 'mypage.sqlite')).href;
  return { postgres, redis, mariaDb, viewsUrl };
}
