import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { projectFile } from '#platform/config/project.ts';
import { type Instance, readInstance } from '../../supervisor/src/instance-file.ts';

const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;

/** A running spacerent with its own home and ports; `stop` removes the home. */
export interface System {
  home: string;
  instance: Instance;
  /** The address of the router. */
  url: string;
  /** The address of any database on its PostgreSQL. */
  postgresUrl(database: string): string;
  /** Rejects with the last lines of the system's output when it ends before `stop` is called. */
  ended: Promise<never>;
  stop(): Promise<void>;
}

// Settings that would select another profile or other services.
const FOREIGN_SETTINGS =
  /^(HOST|AUTH_\w+|INTERNAL_TOKEN_KEYS|REDIS_URL|QUEUE_DATABASE_URL|(BOOK|PAYMENT|SPACE|MYPAGE)_(DATABASE_)?URL)(_FILE)?$/;

/** Where the supervisor writes what it says to the operator. */
export const OUTPUT = 'supervisor.log';

/**
 * Starts the embedded profile in a new home, on the project's disk unless another folder is named: in
 * memory, a commit waits for no disk. Its services read the `settings` in their environment. `root` is
 * that of the version that runs, `outputFolder` that of its output: the home if none is named.
 */
export async function startSystem(
  parent = projectFile('.spacerent'),
  settings: Record<string, string> = {},
  root = projectFile('.'),
  outputFolder?: string,
): Promise<System> {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const home = mkdtempSync(join(parent, 'bench-'));
  const output = join(outputFolder ?? home, OUTPUT);
  const supervisor = spawnSupervisor(root, home, output, settings);
  const exited = new Promise<void>((resolve) => {
    supervisor.once('exit', () => resolve());
    supervisor.once('error', () => resolve());
  });

  let stopping = false;
  const ended = exited.then(() => {
    if (stopping) return new Promise<never>(() => {});
    throw new Error(`The system ended while it was measured. Its output:\n${lastLines(output)}`);
  });
  // Prevents an unhandled rejection; `ended` still rejects for its own handlers.
  ended.catch(() => {});

  const stop = async () => {
    stopping = true;
    supervisor.kill('SIGTERM');
    const inTime = await Promise.race([exited.then(() => true), wait(STOP_TIMEOUT_MS, false)]);
    if (!inTime) throw new Error(`The system (process ${supervisor.pid}) does not stop: end it.`);
    rmSync(home, { recursive: true, force: true });
  };

  try {
    const instance = await readyInstance(home, supervisor, output);
    const { router } = instance.services;
    if (!router?.url || !instance.databases.book)
      throw new Error('Its instance file contains no addresses.');
    const book = instance.databases.book;
    return {
      home,
      instance,
      url: router.url,
      postgresUrl: (database) => Object.assign(new URL(book), { pathname: `/${database}` }).href,
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function spawnSupervisor(
  root: string,
  home: string,
  output: string,
  settings: Record<string, string>,
): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !FOREIGN_SETTINGS.test(name)),
  );
  const descriptor = openSync(output, 'w', 0o600);
  try {
    return spawn(process.execPath, [join(root, 'dist/supervisor/src/main.js')], {
      env: {
        ...env,
        // Without limits: few customers at one address send all requests.
        MAX_UNPAID_HOLDS: '1000000',
        MUTATIONS_PER_MINUTE_PER_USER: '0',
        MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
        QUERY_COST_PER_MINUTE_PER_USER: '0',
        QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
        WEBSOCKETS_PER_ADDRESS: '100000',
        WEBSOCKETS_PER_PROCESS: '100000',
        CONNECTIONS_PER_PROCESS: '200000',
        ...settings,
        PORT: '0',
        SPACERENT_HOME: home,
        SPACERENT_DEMO: 'off',
        // What is stored beforehand is months old: archiving it at once would be measured instead.
        OUTBOX_KEEP_HOURS: String(10 * 365 * 24),
      },
      stdio: ['ignore', descriptor, descriptor],
    });
  } finally {
    closeSync(descriptor);
  }
}

async function readyInstance(
  home: string,
  supervisor: ChildProcess,
  output: string,
): Promise<Instance> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const instance = readInstance(home);
    if (instance?.state === 'ready') return instance;
    const ended = supervisor.exitCode !== null || supervisor.signalCode !== null;
    if (ended || Date.now() > deadline) {
      throw new Error(`The system did not start. Its output:\n${lastLines(output)}`);
    }
    await wait(50);
  }
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n');
}
