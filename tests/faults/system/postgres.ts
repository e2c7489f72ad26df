import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type PostgresUrls,
  startPostgres as startEmbedded,
} from '../../../supervisor/src/postgres.ts';
import type { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { reservePort } from './ports.ts';

export interface Postgres {
  urls: PostgresUrls;
  port: number;
  /** The superuser's address of the database `postgres`. */
  adminUrl: string;
  /** Shuts the server down in one of PostgreSQL's ways; the supervisor restarts it. */
  restart(mode: 'fast' | 'immediate'): void;
  /** Kills every process of the server; the supervisor restarts it and it recovers from its log. */
  crash(): void;
  stop(): Promise<void>;
}

export async function startPostgres(
  home: string,
  logs: string,
  log: (line: string) => void,
  givenPort?: number,
): Promise<Postgres> {
  const port = givenPort ?? (await reservePort());
  let pid: number | undefined;
  let server: SupervisedProcess | undefined;
  const urls = await startEmbedded({
    home,
    port,
    log: join(logs, 'postgres.log'),
    say: log,
    onChange: (newPid) => {
      pid = newPid;
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
    restart(mode) {
      if (pid !== undefined) process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    },
    crash() {
      if (pid === undefined) return;
      for (const each of [pid, ...findChildren(pid)]) {
        try {
          process.kill(each, 'SIGKILL');
        } catch {
          // The process has ended in the meantime.
        }
      }
    },
    stop: async () => server?.stop(),
  };
}

/** Each backend has a process group of its own: a signal to the server's group does not reach it. */
function findChildren(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        // The name may contain any character; after it come the state and the parent's pid.
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}
