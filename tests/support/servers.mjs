// Real servers for tests: PostgreSQL from npm, MariaDB and Redis from the machine's packages. Each
// has its own folder and port, and is stopped by the process that started it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostgres as startEmbedded } from '#supervisor/src/postgres.ts';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/**
 * A new folder that the returned servers' `stop` removes.
 *
 * @param {string} name
 */
export function temporaryFolder(name) {
  return mkdtempSync(join(tmpdir(), `spacerent-${name}-`));
}

export async function freePort() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * `{ url, urls, stop }`; `url` is the superuser's of the database `postgres`.
 *
 * @param {number} [port] a free one by default
 */
export async function startPostgres(port) {
  const home = temporaryFolder('postgres');
  /** @type {{ stop(): Promise<unknown> } | undefined} */
  let server;
  const urls = await startEmbedded({
    home,
    port: port ?? (await freePort()),
    log: join(home, 'postgres.log'),
    say: () => {},
    onChange: () => {},
    onStarting: (process) => {
      server = process;
    },
    abort: new AbortController().signal,
  });
  return {
    urls,
    url: urls.book.replace(/\/book$/, '/postgres'),
    async stop() {
      await server?.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/**
 * `{ url, port, stop }`; the url is root's, without a database.
 *
 * @param {number} [port] a free one by default
 */
export async function startMariaDb(port) {
  const home = temporaryFolder('mariadb');
  const data = join(home, 'data');
  const asUser = process.getuid?.() === 0 ? ['--user=root'] : [];
  const install = spawnSync(
    'mariadb-install-db',
    // A test database brings anonymous users, which take precedence over named ones.
    ['--no-defaults', `--datadir=${data}`, '--skip-test-db', ...asUser].concat([
      '--auth-root-authentication-method=normal',
    ]),
    { encoding: 'utf8', env: withSbin() },
  );
  if (install.status !== 0)
    throw new Error(`The data folder of MariaDB could not be created: ${install.stderr}`);
  port ??= await freePort();
  const server = spawn(
    'mariadbd',
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${join(home, 'socket')}`,
      `--pid-file=${join(home, 'pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      ...asUser,
    ],
    { stdio: 'ignore', env: withSbin() },
  );
  await untilListening(server, port, 'mariadbd');
  const stop = stopAndRemove(server, home);
  return { url: `mysql://root@127.0.0.1:${port}`, port, stop };
}

/**
 * `{ port, stop, pause, resume }`; on a free port unless one is given. With AOF and noeviction, as in production.
 *
 * @param {string} password
 * @param {number} [port]
 */
export async function startRedis(password, port) {
  const home = temporaryFolder('redis');
  port ??= await freePort();
  const location = ['--port', String(port), '--bind', '127.0.0.1', '--dir', home];
  const policies = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
  const server = spawn('redis-server', [...location, ...policies, '--requirepass', password], {
    stdio: 'ignore',
  });
  await untilListening(server, port, 'redis-server');
  return {
    port,
    stop: stopAndRemove(server, home),
    /** Freezes the server: it keeps its connections and does not respond. */
    pause: () => server.kill('SIGSTOP'),
    resume: () => server.kill('SIGCONT'),
  };
}

/**
 * @param {ChildProcess} server
 * @param {string} home
 */
function stopAndRemove(server, home) {
  return async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGTERM');
      await new Promise((resolve) => server.once('exit', resolve));
    }
    rmSync(home, { recursive: true, force: true });
  };
}

/**
 * @param {ChildProcess} server
 * @param {number} port
 * @param {string} name
 */
async function untilListening(server, port, name) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`${name} ended with code ${server.exitCode}.`);
    const isListening = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
        .once('connect', () => resolve(socket.destroy() && true))
        .once('error', () => resolve(false));
    });
    if (isListening) return;
    await pause(100);
  }
  server.kill('SIGKILL');
  throw new Error(`${name} did not listen on port ${port} within 30 s.`);
}

/** Server programs are in sbin folders, which the PATH of an ordinary user often lacks. */
function withSbin() {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
}
