import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { withLog } from '../../../supervisor/src/logs.ts';
import { SupervisedProcess } from '../../../supervisor/src/supervised-process.ts';
import type { RunFolder } from '../run-folder.ts';
import { reservePort } from '../system/ports.ts';
import { killOnExit } from '../system/signal-on-exit.ts';
import { type BalancedService, type HealthChecks, toHaproxyConfig } from './haproxy-config.ts';

const STATS_TIMEOUT_MS = 5_000;
const POLL_MS = 50;

/** What HAProxy has counted of one replica since it started. */
export interface ServerCounters {
  service: string;
  server: string;
  isUp: boolean;
  requests: number;
  responses5xx: number;
  /** Connections that could not be opened. */
  refused: number;
  /** Connections that ended before a response. */
  broken: number;
  /** Requests that were sent again because no connection could be opened. */
  retried: number;
}

export interface Haproxy {
  counters(): Promise<ServerCounters[]>;
  /** Resolves when HAProxy sends requests to the replica; rejects with a sentence after `seconds`. */
  waitUntilUp(server: string, seconds: number, signal: AbortSignal): Promise<void>;
  /** Resolves when HAProxy sends nothing to it any more. */
  waitUntilDown(server: string, seconds: number, signal: AbortSignal): Promise<void>;
}

/** Starts HAProxy before the replicas of all services; it is stopped with the folder's other servers. */
export async function startHaproxy(
  services: readonly BalancedService[],
  checks: HealthChecks,
  folder: RunFolder,
  logs: string,
): Promise<Haproxy> {
  const statsPort = await reservePort();
  return runHaproxy('haproxy', toHaproxyConfig(services, { statsPort, checks }), {
    ...folder,
    logs,
    statsPort,
  });
}

/** Runs HAProxy with a configuration that has its statistics at the port. */
export async function runHaproxy(
  name: string,
  content: string,
  { path, log, onStop, logs, statsPort }: RunFolder & { logs: string; statsPort: number },
): Promise<Haproxy> {
  const config = join(path, `${name}.cfg`);
  writeFileSync(config, content);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  const supervised = new SupervisedProcess({
    name,
    spawn: () =>
      withLog(join(logs, `${name}.log`), (file) =>
        // In the foreground, as one process.
        killOnExit(spawn('haproxy', ['-db', '-f', config], { stdio: ['ignore', file, file], env })),
      ),
    isReady: () =>
      readCounters(statsPort).then(
        () => true,
        () => false,
      ),
    stop: { signal: 'SIGTERM', graceMs: 5_000, thenSignal: 'SIGKILL' },
    onChange: () => {},
    say: log,
  });
  onStop(() => supervised.stop());
  await supervised.start();
  return {
    counters: () => readCounters(statsPort),
    async waitUntilUp(server, seconds, signal) {
      if (await sees(statsPort, server, true, seconds, signal)) return;
      throw new Error(`HAProxy does not see ${server} as ready after ${seconds} s.`);
    },
    async waitUntilDown(server, seconds, signal) {
      if (await sees(statsPort, server, false, seconds, signal)) return;
      throw new Error(`HAProxy sees ${server} as ready after ${seconds} s.`);
    },
  };
}

/** Whether HAProxy sees the server as up, or not up, within the time. */
async function sees(
  statsPort: number,
  server: string,
  isUp: boolean,
  seconds: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (const deadline = Date.now() + seconds * 1_000; Date.now() < deadline; ) {
    signal.throwIfAborted();
    const counters = await readCounters(statsPort);
    if (counters.find((each) => each.server === server)?.isUp === isUp) return true;
    await wait(POLL_MS);
  }
  return false;
}

async function readCounters(port: number): Promise<ServerCounters[]> {
  const [header = '', ...lines] = (await askStats(port)).trim().split('\n');
  const names = header.replace(/^# /, '').split(',');
  return lines
    .map((line) => {
      const values = line.split(',');
      return (name: string) => values[names.indexOf(name)] ?? '';
    })
    .filter((field) => !['FRONTEND', 'BACKEND'].includes(field('svname')))
    .map((field) => ({
      service: field('pxname'),
      server: field('svname'),
      // "UP 1/2" is still to pass a check.
      isUp: field('status') === 'UP',
      requests: Number(field('hrsp_2xx')) + Number(field('hrsp_4xx')) + Number(field('hrsp_5xx')),
      responses5xx: Number(field('hrsp_5xx')),
      refused: Number(field('econ')),
      broken: Number(field('eresp')),
      retried: Number(field('wretr')),
    }));
}

/** HAProxy's table of all servers as CSV: section 9.1 of its management guide. */
function askStats(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(STATS_TIMEOUT_MS, () =>
      socket.destroy(new Error('HAProxy does not respond to its statistics.')),
    );
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.once('end', () => resolve(text));
    socket.once('error', reject);
    socket.end('show stat\n');
  });
}
