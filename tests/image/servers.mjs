import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { healthCommand } from './compose-file.mjs';
import { eventually, lastLines, run, tryRun } from './processes.mjs';

/** @typedef {import('./compose-file.mjs').Server} Server */

/**
 * Has the step run at the end of the test, also of a failed one.
 *
 * @typedef {(step: () => unknown) => void} AtEnd
 */

/**
 * The user as whom a server runs; none: the one who runs the test.
 *
 * @typedef {{ uid?: number, gid?: number }} User
 */

const oldestPostgres = 15;

/** The folder of the newest PostgreSQL from Debian's packages, if it is new enough. */
export function postgresFolder() {
  const folder = '/usr/lib/postgresql';
  const versions = existsSync(folder) ? readdirSync(folder).map(Number) : [];
  const newest = Math.max(...versions.filter((version) => version >= oldestPostgres));
  return newest > 0 ? join(folder, String(newest), 'bin') : undefined;
}

/** @param {number[]} ports */
export async function requireFreePorts(ports) {
  const occupied = [];
  for (const port of ports) if (!(await isFree(port))) occupied.push(port);
  if (occupied.length === 1)
    throw new Error(`The port ${occupied} is in use, and the test needs it.`);
  if (occupied.length > 1)
    throw new Error(`The ports ${occupied.join(', ')} are in use, and the test needs them.`);
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

/**
 * Starts this machine's own servers with the compose file's commands and credentials.
 *
 * @param {object} options
 * @param {import('./compose-file.mjs').Servers} options.servers
 * @param {string} options.databasesSql
 * @param {string} options.folder
 * @param {AtEnd} options.atEnd
 */
export async function startServers({ servers, databasesSql, folder, atEnd }) {
  const starting = [
    startPostgres(servers.postgres, databasesSql, folder, atEnd),
    startMariadb(servers.mariadb, folder, atEnd),
    startRedis(servers.redis, folder, atEnd),
  ];
  // The clean-up must not begin while another server is still being started.
  const outcomes = await Promise.allSettled(starting);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/**
 * @param {Server} server
 * @param {string} databasesSql
 * @param {string} folder
 * @param {AtEnd} atEnd
 */
async function startPostgres({ command, environment, ...service }, databasesSql, folder, atEnd) {
  const bin = postgresFolder();
  if (!bin) throw new Error(`PostgreSQL ${oldestPostgres} or newer is not installed.`);
  const { data, user } = makeFolder(folder, 'postgres');
  const { POSTGRES_PASSWORD: password = '' } = environment;
  const passwordFile = join(data, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const database = join(data, 'data');
  const options = ['-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  options.push('--encoding=UTF8', '--locale=C.UTF-8');
  await run(join(bin, 'initdb'), ['-D', database, ...options], { cwd: data, ...user });

  const [, ...args] = command;
  const location = ['-D', database, '-c', 'listen_addresses=127.0.0.1'];
  location.push('-c', 'unix_socket_directories=');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const server = startServer(
    'PostgreSQL',
    join(bin, 'postgres'),
    [...location, ...args],
    data,
    user,
  );
  // SIGINT, as in the image: SIGTERM would wait for clients to disconnect.
  atEnd(() => server.stop('SIGINT'));
  await server.ready(() => tryRun(...splitCommand(healthCommand(service)), { env }));
  const psql = ['-h', '127.0.0.1', '-U', 'postgres', '-v', 'ON_ERROR_STOP=1'];
  await run('psql', psql, { input: databasesSql, env: { ...env, PGPASSWORD: password } });
}

/**
 * @param {Server} server
 * @param {string} folder
 * @param {AtEnd} atEnd
 */
async function startMariadb({ command, environment }, folder, atEnd) {
  const { data, user } = makeFolder(folder, 'mysql');
  const database = `--datadir=${join(data, 'data')}`;
  const install = ['--no-defaults', database, '--skip-test-db'];
  install.push('--auth-root-authentication-method=normal');
  await run('mariadb-install-db', install, { cwd: data, ...user });

  const [, ...args] = command;
  const socket = `--socket=${join(data, 'socket')}`;
  const location = ['--no-defaults', database, socket, '--bind-address=127.0.0.1'];
  const server = startServer('MariaDB', 'mariadbd', [...location, ...args], data, user);
  atEnd(() => server.stop('SIGTERM'));
  const login = ['--no-defaults', socket, '--user=root'];
  // The health check of the compose file is a script that only the image has.
  await server.ready(() => tryRun('mariadb-admin', [...login, 'ping']));

  // The image does the same with these variables at its first start.
  const { MARIADB_DATABASE: name, MARIADB_USER, MARIADB_PASSWORD } = environment;
  const account = `'${MARIADB_USER}'@'%'`;
  await run('mariadb', login, {
    input: `CREATE DATABASE \`${name}\`;
      CREATE USER ${account} IDENTIFIED BY '${MARIADB_PASSWORD}';
      GRANT ALL ON \`${name}\`.* TO ${account};`,
  });
}

/**
 * @param {Server} server
 * @param {string} folder
 * @param {AtEnd} atEnd
 */
async function startRedis({ command, environment, ...service }, folder, atEnd) {
  const { data, user } = makeFolder(folder, 'redis');
  const [program = '', ...args] = command;
  const location = ['--dir', data, '--bind', '127.0.0.1'];
  const server = startServer('Redis', program, [...args, ...location], data, user);
  atEnd(() => server.stop('SIGTERM'));
  const env = { ...process.env, ...environment };
  await server.ready(() => tryRun(...splitCommand(healthCommand(service)), { env }));
}

/**
 * @param {string[]} command
 * @returns {[program: string, args: string[]]}
 */
const splitCommand = ([program = '', ...args]) => [program, args];

/**
 * Creates a data folder. Root gives it to the user that the package of the server has created.
 *
 * @param {string} folder
 * @param {string} userName
 * @returns {{ data: string, user: User }}
 */
function makeFolder(folder, userName) {
  const data = join(folder, `server-${userName}`);
  mkdirSync(data, { mode: 0o700 });
  if (process.getuid?.() !== 0) return { data, user: {} };
  const idOf = (/** @type {string} */ kind) =>
    Number(execFileSync('id', [kind, userName], { encoding: 'utf8' }));
  const user = { uid: idOf('-u'), gid: idOf('-g') };
  chownSync(data, user.uid, user.gid);
  return { data, user };
}

/**
 * @param {string} name
 * @param {string} program
 * @param {string[]} args
 * @param {string} folder
 * @param {User} user
 */
function startServer(name, program, args, folder, user) {
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'a');
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log], ...user });
  closeSync(log);
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
    child.once('error', resolve);
  });
  let isRunning = true;
  void ended.then(() => {
    isRunning = false;
  });
  const logEnd = () => lastLines(readFileSync(logFile, 'utf8'), 20);
  return {
    /** @param {() => Promise<{ code: number | null }>} check */
    ready: (check) =>
      eventually(
        60,
        async () => {
          if (!isRunning) throw new Error(`${name} ended by itself:\n${logEnd()}`);
          return (await check()).code === 0 ? true : undefined;
        },
        () => `${name} does not respond after 60 s:\n${logEnd()}`,
      ),
    /** @param {NodeJS.Signals} signal */
    async stop(signal) {
      child.kill(signal);
      const stuck = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(stuck);
    },
  };
}
