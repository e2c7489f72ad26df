import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mariadb';
import { withLog } from '../../../supervisor/src/logs.ts';
import { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { reservePort } from './ports.ts';
import { killOnExit } from './signal-on-exit.ts';

export interface MariaDb {
  /** The address of mypage's database. */
  url: string;
  port: number;
  /** Shuts it down; the supervisor restarts it on the same port. */
  restart(): void;
  /** Undefined while it does not run. */
  pid(): number | undefined;
  isReady(): Promise<boolean>;
  /** The supervisor restarts it on the same port; it recovers from its log. */
  kill(): void;
  stop(): Promise<void>;
}

export async function startMariaDb(
  home: string,
  logs: string,
  log: (line: string) => void,
): Promise<MariaDb> {
  const folder = join(home, 'mariadb');
  mkdirSync(folder, { recursive: true });
  const data = join(folder, 'data');
  const userFlags = process.getuid?.() === 0 ? ['--user=root'] : [];
  // Servers are installed in sbin folders, which are often missing in an ordinary user's PATH.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  createData(data, userFlags, env);
  const port = await reservePort();
  const flags = [
    '--no-defaults',
    `--datadir=${data}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    ...userFlags,
  ];
  const isReady = () =>
    executeOnMariaDb(port, ['SELECT 1']).then(
      () => true,
      () => false,
    );
  let pid: number | undefined;
  const supervised = new SupervisedProcess({
    name: 'mariadb',
    spawn: () =>
      withLog(join(logs, 'mariadb.log'), (file) =>
        killOnExit(
          spawn('mariadbd', flags, { detached: true, stdio: ['ignore', file, file], env }),
        ),
      ),
    isReady,
    stop: { signal: 'SIGTERM', graceMs: 20_000, thenSignal: 'SIGKILL' },
    onChange: (newPid) => {
      pid = newPid;
    },
    say: log,
  });
  await supervised.start();
  await executeOnMariaDb(port, [
    'CREATE DATABASE mypage CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    "CREATE USER 'mypage'@'%' IDENTIFIED BY 'chaos'",
    "GRANT ALL ON mypage.* TO 'mypage'@'%'",
  ]);
  return {
    url: `mysql://mypage:chaos@127.0.0.1:${port}/mypage`,
    port,
    pid: () => pid,
    isReady,
    restart: () => {
      if (pid !== undefined) process.kill(pid, 'SIGTERM');
    },
    kill: () => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    stop: () => supervised.stop(),
  };
}

function createData(data: string, userFlags: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr, error } = spawnSync(
    'mariadb-install-db',
    [
      ...['--no-defaults', `--datadir=${data}`, '--skip-test-db', ...userFlags],
      '--auth-root-authentication-method=normal',
    ],
    { encoding: 'utf8', env },
  );
  if (status !== 0) {
    throw new Error(`MariaDB's data could not be created: ${stderr ?? error?.message}`);
  }
}

async function executeOnMariaDb(port: number, statements: readonly string[]): Promise<void> {
  const address = { host: '127.0.0.1', port, user: 'root', connectTimeout: 2_000 };
  const connection = await createConnection(address);
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
