import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type PostgresUrls,
  startPostgres as startEmbedded,
} from '../../../supervisor/src/postgres.ts';
import type { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { takePort } from './ports.ts';
import type { Say } from './redis.ts';

export interface Postgres {
  urls: PostgresUrls;
  port: number;
  /** The superuser's address of the database `postgres`. */
  adminUrl: string;
  /** Kills every process of the server at once; it is started again and recovers from its log. */
  crash(): void;
  stop(): Promise<void>;
}

export async function startPostgres(home: string, logs: string, say: Say): Promise<Postgres> {
  const port = await takePort();
  let pid: number | undefined;
  let server: SupervisedProcess | undefined;
  const urls = await startEmbedded({
    home,
    port,
    log: join(logs, 'postgres.log'),
    say,
    onChange: (now) => {
      pid = now;
    },
    onStarting: (process) => {
      server = process;
    },
    abort: new AbortController().signal,
  });
  return {
    urls,
    port,
    adminUrl: Object.assign(new URL(urls.book), { pathname: '/postgres' }).href,
    crash() {
      if (pid === undefined) return;
      for (const each of [pid, ...childrenOf(pid)]) {
        try {
          process.kill(each, 'SIGKILL');
        } catch {
          // It ended by itself meanwhile.
        }
      }
    },
    stop: async () => server?.stop(),
  };
}

/** Every backend leads a group of its own: a signal to the server's group would miss them. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        // After the name, which may hold anything: state, then the parent.
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}
