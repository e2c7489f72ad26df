import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mariadb';
import pg from 'pg';
import { parse } from 'yaml';
import { startMariaDb, startPostgres, startRedis, temporaryFolder } from './servers.mjs';

// Short, so that tests see holds expire; long enough for a deferred payment to come in.
const HOLD_SECONDS = '20';

/**
 * For the tests of the whole: one running system per profile. Their homes are named in the
 * environment of the tests as SYSTEM_EMBEDDED and SYSTEM_SERVERS.
 */
export default async function startSystems() {
  globalThis.stopAll = [];
  const profiles = (process.env.SPACERENT_TEST_PROFILES ?? 'embedded').split(',');
  if (profiles.includes('embedded')) {
    process.env.SYSTEM_EMBEDDED = await startSystem('embedded', { HOLD_SECONDS });
  }
  if (profiles.includes('servers')) {
    const environment = await startComposedServers();
    process.env.SYSTEM_SERVERS = await startSystem('servers', { ...environment, HOLD_SECONDS });
  }
}

/** Runs `npm start`'s supervisor and resolves with its home once it is ready. */
async function startSystem(name, environment) {
  const home = temporaryFolder(name);
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, ['dist/supervisor/src/main.js'], {
    env: { ...inherited, PORT: '0', SPACERENT_HOME: home, SPACERENT_DEMO: 'off', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  globalThis.stopAll.push(async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    // A failed run keeps its logs: they tell why.
    if (!process.env.SPACERENT_TEST_KEEP) rmSync(home, { recursive: true, force: true });
  });
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`The ${name} system did not start:\n${said}`);
    if (stateOf(home) === 'ready') return home;
    await pause(100);
  }
  throw new Error(`The ${name} system was not ready within 60 s:\n${said}`);
}

function stateOf(home) {
  try {
    return JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')).state;
  } catch {
    return undefined;
  }
}

/**
 * Real servers with the credentials of docker-compose.yml. Resolves with the environment that the
 * file gives its services; only hosts and ports are those of this machine.
 */
async function startComposedServers() {
  const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
  const composed = Object.assign(
    {},
    ...['book', 'payment', 'space', 'mypage', 'router'].map((name) => services[name].environment),
  );
  const [postgres, mariaDb, redis] = await Promise.all([
    startPostgres(),
    startMariaDb(),
    startRedis(),
  ]);
  globalThis.stopAll.push(postgres.stop, mariaDb.stop, redis.stop);
  const here = { postgres: new URL(postgres.url).host, mariadb: `127.0.0.1:${mariaDb.port}` };
  const urlOf = (name) => {
    const url = new URL(withDefaults(composed[name]));
    url.host = here[url.hostname] ?? `127.0.0.1:${redis.port}`;
    return url.href;
  };
  const environment = {
    ...Object.fromEntries(
      ['BOOK', 'PAYMENT', 'SPACE', 'MYPAGE']
        .map((context) => `${context}_DATABASE_URL`)
        .concat('REDIS_URL')
        .map((name) => [name, urlOf(name)]),
    ),
    AUTH_SECRET: withDefaults(composed.AUTH_SECRET),
  };
  await createPostgresUser(postgres.url, new URL(environment.BOOK_DATABASE_URL));
  await createMariaDbUser(mariaDb.port, new URL(environment.MYPAGE_DATABASE_URL));
  return environment;
}

/** Compose's `${NAME:-default}`, with nothing set. */
function withDefaults(value) {
  return String(value).replaceAll(/\$\{\w+(?::-([^}]*))?\}/g, '$1');
}

async function createPostgresUser(url, { username, password }) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // The embedded server's superuser stands in when the file names the same user.
  const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [username]);
  const verb = rows.length > 0 ? 'ALTER' : 'CREATE';
  await client.query(`${verb} ROLE "${username}" SUPERUSER LOGIN PASSWORD '${password}'`);
  await client.end();
}

async function createMariaDbUser(port, { username, password, pathname }) {
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root' });
  await connection.query(`CREATE DATABASE ${pathname.slice(1)} CHARACTER SET utf8mb4`);
  await connection.query(`CREATE USER '${username}'@'%' IDENTIFIED BY '${password}'`);
  await connection.query(`GRANT ALL ON ${pathname.slice(1)}.* TO '${username}'@'%'`);
  await connection.end();
}
