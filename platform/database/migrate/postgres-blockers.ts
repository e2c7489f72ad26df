import type pg from 'pg';

const BLOCKERS_QUERY = `SELECT a.pid, a.application_name AS name, a.state,
    floor(extract(epoch FROM clock_timestamp() - a.xact_start)) AS seconds
  FROM unnest(pg_blocking_pids($1)) AS blocker(pid) JOIN pg_stat_activity a USING (pid)`;

interface Blocker {
  pid: number;
  name: string | null;
  state: string | null;
  seconds: string | null;
}

/**
 * Polls, over a connection of its own, for the sessions that block the session `pid`: after its lock
 * timeout PostgreSQL no longer knows them. Connects only when the migration takes long.
 */
export function watchBlockers(
  connect: () => Promise<pg.Client>,
  pid: number,
  lockTimeoutMs: number,
): { description(): string; stop(): Promise<void> } {
  let client: Promise<pg.Client> | undefined;
  let blockers = 'sessions that were gone before they could be named';
  let isStopped = false;
  let timer: NodeJS.Timeout;
  let polling: Promise<void> = Promise.resolve();

  const poll = async () => {
    client ??= connect();
    const { rows } = await (await client).query<Blocker>(BLOCKERS_QUERY, [pid]);
    if (rows.length > 0) blockers = rows.map(describe).join(', ');
  };
  const run = () => {
    // A failed poll is ignored: it serves only the message of an error.
    polling = poll().catch(() => {
      client = undefined;
    });
    void polling.then(() => {
      if (!isStopped) timer = setTimeout(run, lockTimeoutMs / 6);
    });
  };
  timer = setTimeout(run, lockTimeoutMs / 4);

  return {
    description: () => blockers,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await polling;
      await (await client?.catch(() => undefined))?.end().catch(() => {});
    },
  };
}

function describe({ pid, name, state, seconds }: Blocker): string {
  const since = seconds === null ? '' : `, its transaction is ${seconds} s old`;
  return `process ${pid} of PostgreSQL (${name || 'no name'}, ${state ?? 'unknown state'}${since})`;
}
