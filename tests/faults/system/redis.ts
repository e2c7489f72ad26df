import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { withLog } from '../../../supervisor/src/logs.ts';
import { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { reservePort } from './ports.ts';
import { killOnExit } from './signal-on-exit.ts';

const PASSWORD = 'chaos';

export interface Redis {
  url: string;
  port: number;
  /** The supervisor restarts it on the same port, empty. */
  kill(): void;
  command(...words: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Redis without persistence: a kill loses its contents. */
export async function startRedis(
  home: string,
  logs: string,
  log: (line: string) => void,
): Promise<Redis> {
  const folder = join(home, 'redis');
  mkdirSync(folder, { recursive: true });
  const port = await reservePort();
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  const address = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const settings = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  let pid: number | undefined;
  const supervised = new SupervisedProcess({
    name: 'redis',
    spawn: () =>
      withLog(join(logs, 'redis.log'), (file) =>
        killOnExit(
          spawn('redis-server', [...address, ...settings, '--requirepass', PASSWORD], {
            detached: true,
            stdio: ['ignore', file, file],
          }),
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
