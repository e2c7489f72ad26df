import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type ContextName, contextNames, topology } from '#contracts/topology.ts';
import { exchangeFolder } from './backup/home-data.ts';
import { withLog } from './logs.ts';
import { locateBinaries } from './postgres-binaries.ts';
import { endLeftoverServer, initialise, superuser } from './postgres-data.ts';
import { choosePostgresUser, type PostgresUser } from './postgres-user.ts';
import { readOrCreateSecret, readSecret } from './secrets.ts';
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
 * Starts PostgreSQL on the data in `home`, which it creates if there are none. Resolves with the
 * addresses of the databases.
 */
export async function startPostgres(options: Options): Promise<PostgresUrls> {
  const { home, port, log, say, onChange, onStarting, abort } = options;
  const data = join(home, 'postgres');
  requireNoExchange(home);
  const password = readPassword(home, data);
  const user = choosePostgresUser(locateBinaries(home), home, data);
  if (existsSync(data)) await endLeftoverServer(data, say);
  await initialise(user, data, password, log, abort);
  abort.throwIfAborted();
  // The server's user may not have access to the link in the home.
  const folder = realpathSync(data);

  const urlFor = (name: string) =>
    `postgresql://${superuser}:${password}@127.0.0.1:${port}/${name}`;
  const supervised = new SupervisedProcess({
    name: 'postgres',
    spawn: () => spawnPostgres(user, folder, port, log),
    isReady: () => acceptsConnections(urlFor('postgres')),
    // A fast shutdown, and after its timeout an immediate one, from which PostgreSQL recovers.
    stop: { signal: 'SIGINT', graceMs: 30_000, thenSignal: 'SIGQUIT' },
    onChange,
    say,
  });
  onStarting(supervised);
  await supervised.start();
  await createMissing(urlFor('postgres'));
  return Object.fromEntries(databases.map((name) => [name, urlFor(name)])) as PostgresUrls;
}

/** A restore that ended while it exchanged the data has left some of each. */
function requireNoExchange(home: string): void {
  if (!existsSync(exchangeFolder(home))) return;
  throw new Error(
    `A restore into ${home} was interrupted while it exchanged the data. Repeat it, with --replace.`,
  );
}

function readPassword(home: string, data: string): string {
  const file = join(home, 'postgres-password');
  if (existsSync(data) && readSecret(file) === undefined) {
    throw new Error(
      `${file} is missing. It holds the only password of the data in ${data}: restore it.`,
    );
  }
  return readOrCreateSecret(file);
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
      // A process group of its own: Ctrl-C must not stop PostgreSQL before the services.
      detached: true,
      env: { ...process.env, ...binaries.env, LC_ALL: 'C' },
      stdio: ['ignore', descriptor, descriptor],
    }),
  );
  if (child.pid !== undefined) guard(child);
  return child;
}

/**
 * Stops PostgreSQL after the supervisor was killed, which PostgreSQL does not notice. A shell notices the
 * end of its input, and stops PostgreSQL once its clients have disconnected, or after 30 s.
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
  // Another process may get the pid.
  postgres.once('exit', () => shell.kill('SIGKILL'));
}

async function acceptsConnections(url: string): Promise<boolean> {
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
