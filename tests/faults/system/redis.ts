import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import { withLog } from '../../../supervisor/src/logs.ts';
import { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import { guarded } from './guard.ts';
import { takePort } from './ports.ts';

const PASSWORD = 'chaos';

export interface Redis {
  url: string;
  port: number;
  /** Killed it comes back on the same port, with nothing in it. */
  kill(): void;
  command(...words: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis that keeps nothing on disk: whatever it is killed with is lost. */
export async function startRedis(home: string, logs: string, say: Say): Promise<Redis> {
  const folder = join(home, 'redis');
  mkdirSync(folder, { recursive: true });
  const port = await takePort();
  const url = `redis://:${PASSWORD}@127.0.0.1:${port}`;
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const manner = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  let pid: number | undefined;
  const supervised = new SupervisedProcess({
    name: 'redis',
    spawn: () =>
      withLog(join(logs, 'redis.log'), (log) =>
        guarded(
          spawn('redis-server', [...place, ...manner, '--requirepass', PASSWORD], {
            detached: true,
            stdio: ['ignore', log, log],
          }),
        ),
      ),
    isReady: () =>
      run(url, 'PING').then(
        () => true,
        () => false,
      ),
    stop: { signal: 'SIGTERM', graceMs: 5_000, thenSignal: 'SIGKILL' },
    onChange: (now) => {
      pid = now;
    },
    say,
  });
  await supervised.start();
  return {
    url,
    port,
    kill: () => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
    command: (...words) => run(url, ...words),
    stop: () => supervised.stop(),
  };
}

export type Say = (line: string) => void;

async function run(url: string, ...words: string[]): Promise<void> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2_000 } });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}
