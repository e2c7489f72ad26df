import type pg from 'pg';

const BLOCKERS = `SELECT a.pid, a.application_name AS name, a.state,
    floor(extract(epoch FROM clock_timestamp() - a.xact_start)) AS seconds
  FROM unnest(pg_blocking_pids($1)) AS blocker(pid) JOIN pg_stat_activity a USING (pid)`;

interface Blocker {
  pid: number;
  name: string | null;
  state: string | null;
  seconds: string | null;
}

/**
 * Looks now and then, over a connection of its own, which sessions the session `pid` waits for:
 * once it has given up, PostgreSQL no longer knows. Connects only when the work takes long.
 */
export function watchBlockers(
  connect: () => Promise<pg.Client>,
  pid: number,
  lockTimeoutMs: number,
): { seen(): string; stop(): Promise<void> } {
  let client: Promise<pg.Client> | undefined;
  let seen = 'sessions that were gone before they could be named';
  let isStopped = false;
  let timer: NodeJS.Timeout;
  let looking: Promise<void> = Promise.resolve();

  const look = async () => {
    client ??= connect();
    const { rows } = await (await client).query<Blocker>(BLOCKERS, [pid]);
    if (rows.length > 0) seen = rows.map(describe).join(', ');
  };
  const turn = () => {
    // What cannot be found out is left out: the migration itself does not depend on it.
    looking = look().catch(() => {
      client = undefined;
    });
    void looking.then(() => {
      if (!isStopped) timer = setTimeout(turn, lockTimeoutMs / 6);
    });
  };
  timer = setTimeout(turn, lockTimeoutMs / 4);

  return {
    seen: () => seen,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await looking;
      await (await client?.catch(() => undefined))?.end().catch(() => {});
    },
  };
}

function describe({ pid, name, state, seconds }: Blocker): string {
  const since = seconds === null ? '' : `, its transaction is ${seconds} s old`;
  return `process ${pid} of PostgreSQL (${name || 'no name'}, ${state ?? 'unknown state'}${since})`;
}
