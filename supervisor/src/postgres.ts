import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type ContextName, contextNames, topology } from '#contracts/topology.ts';
import { withLog } from './logs.ts';
import { locateBinaries } from './postgres-binaries.ts';
import { endLeftoverServer, initialise, superuser } from './postgres-data.ts';
import { choosePostgresUser, type PostgresUser } from './postgres-user.ts';
import { keptSecret, readSecret } from './secrets.ts';
import { SupervisedProcess } from './supervised-process.ts';

type PostgresContext = {
  [Name in ContextName]: (typeof topology)[Name]['database'] extends 'postgres' ? Name : never;
}[ContextName];

const databases = [
  ...contextNames.filter((name) => topology[name].database === 'postgres'),
  'queue',
];

export type PostgresUrls = Record<PostgresContext | 'queue', string>;

type Options = {
  home: string;
  port: number;
  log: string;
  say: (line: string) => void;
  onChange: (pid: number | undefined) => void;
  /** Called as soon as there is something to stop. */
  onStarting: (process: SupervisedProcess) => void;
  abort: AbortSignal;
};

/**
 * Starts PostgreSQL on the data in `home`, making them first where there are none; answers the
 * databases' addresses.
 */
export async function startPostgres(options: Options): Promise<PostgresUrls> {
  const { home, port, log, say, onChange, onStarting, abort } = options;
  const data = join(home, 'postgres');
  const password = passwordOf(home, data);
  const user = choosePostgresUser(locateBinaries(home), home, data);
  if (existsSync(data)) await endLeftoverServer(data, say);
  await initialise(user, data, password, log, abort);
  abort.throwIfAborted();
  // Another user's server cannot follow the link out of a home that is closed to it.
  const folder = realpathSync(data);

  const urlOf = (name: string) => `postgresql://${superuser}:${password}@127.0.0.1:${port}/${name}`;
  const supervised = new SupervisedProcess({
    name: 'postgres',
    spawn: () => spawnPostgres(user, folder, port, log),
    isReady: () => answers(urlOf('postgres')),
    // A fast shutdown; if it takes too long an immediate one, which recovery makes good.
    stop: { signal: 'SIGINT', graceMs: 30_000, thenSignal: 'SIGQUIT' },
    onChange,
    say,
  });
  onStarting(supervised);
  await supervised.start();
  await createMissing(urlOf('postgres'));
  return Object.fromEntries(databases.map((name) => [name, urlOf(name)])) as PostgresUrls;
}

function passwordOf(home: string, data: string): string {
  const file = join(home, 'postgres-password');
  if (existsSync(data) && readSecret(file) === undefined) {
    throw new Error(`${file} is missing, and nothing else opens the data in ${data}; restore it.`);
  }
  return keptSecret(file);
}

function spawnPostgres(user: PostgresUser, data: string, port: number, log: string): ChildProcess {
  const { binaries, prefix, other } = user;
  const [program = '', ...rest] = [...prefix, join(binaries.folder, 'bin/postgres')];
  const settings = {
    listen_addresses: '127.0.0.1',
    // Socket paths are limited to about 100 bytes, and the home can be anywhere.
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    wal_compression: 'on',
    // Parallel plans need shared memory that small containers lack; queries here are short.
    max_parallel_workers_per_gather: 0,
    jit: 'off',
    random_page_cost: 1.1,
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] %d ',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = withLog(log, (descriptor) =>
    spawn(program, [...rest, '-D', data, '-p', String(port), ...flags], {
      uid: other?.uid,
      gid: other?.gid,
      cwd: '/',
      // Out of the terminal's reach: on Ctrl-C the services still need it for a moment.
      detached: true,
      env: { ...process.env, ...binaries.env, LC_ALL: 'C' },
      stdio: ['ignore', descriptor, descriptor],
    }),
  );
  if (child.pid !== undefined) guard(child);
  return child;
}

/**
 * PostgreSQL does not notice when the supervisor is killed. A shell does, by the end of its input,
 * and asks for a stop once the services have gone, or half a minute later in any case.
 */
function guard(postgres: ChildProcess): void {
  const script =
    'read -r _; kill -TERM "$1" || exit; i=0; while [ $i -lt 30 ]; do sleep 1; ' +
    'kill -0 "$1" || exit; i=$((i+1)); done; kill -INT "$1"';
  const shell = spawn('sh', ['-c', script, 'postgres-guard', String(postgres.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.once('error', () => {});
  shell.stdin.once('error', () => {});
  // Its pid may be somebody else's soon.
  postgres.once('exit', () => shell.kill('SIGKILL'));
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function createMissing(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const present = new Set(rows.map((row) => row.datname));
    for (const name of databases) {
      if (!present.has(name)) await client.query(`CREATE DATABASE ${name}`);
    }
  } finally {
    await client.end();
  }
}
