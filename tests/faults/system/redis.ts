import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { withLog } from '../../../supervisor/src/logs.ts';
import { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { reservePort } from './ports.ts';
import { killOnExit } from './signal-on-exit.ts';

export const REDIS_PASSWORD = 'chaos';

export interface Redis {
  url: string;
  port: number;
  /** The supervisor restarts it on the same port, empty. */
  kill(): void;
  command(...words: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** One of several servers: its name, its port, and flags of its own. */
export interface RedisServer {
  name: string;
  port: number;
  flags: readonly string[];
}

/** Starts a Redis without persistence: a kill loses its contents. */
export async function startRedis(
  home: string,
  logs: string,
  log: (line: string) => void,
  server?: RedisServer,
): Promise<Redis> {
  const { name, port, flags } = server ?? { name: 'redis', port: await reservePort(), flags: [] };
  const folder = join(home, name);
  mkdirSync(folder, { recursive: true });
  const url = `redis://:${REDIS_PASSWORD}@127.0.0.1:${port}`;
  const address = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const settings = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  let pid: number | undefined;
  const supervised = new SupervisedProcess({
    name,
    spawn: () =>
      withLog(join(logs, `${name}.log`), (file) =>
        killOnExit(
          spawn(
            'redis-server',
            [...address, ...settings, '--requirepass', REDIS_PASSWORD, ...flags],
            {
              detached: true,
              stdio: ['ignore', file, file],
            },
          ),
        ),
      ),
    isReady: () =>
      execute(url, 'PING').then(
        () => true,
        () => false,
      ),
    stop: { signal: 'SIGTERM', graceMs: 5_000, thenSignal: 'SIGKILL' },
    onChange: (newPid) => {
      pid = newPid;
    },
    say: log,
  });
  await supervised.start();
  return {
    url,
    port,
    kill: () => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    command: (...words) => execute(url, ...words),
    stop: () => supervised.stop(),
  };
}

async function execute(url: string, ...words: string[]): Promise<void> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2_000 } });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}
