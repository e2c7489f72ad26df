import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mariadb';
import pg from 'pg';
import { randomSecrets } from '../../scripts/ops/secrets.mjs';
import { readComposeFile } from './compose-file.mjs';
import { startIdentityProvider } from './identity-provider.mjs';
import { embeddedIdentity, startSecondRouter, UNLIMITED } from './second-router.mjs';
import { startMariaDb, startPostgres, startRedis, temporaryFolder } from './servers.mjs';
import stopAll, { stopAtEnd } from './stop-all.mjs';

// Short, so that tests see holds expire; long enough for a deferred payment to be approved.
const HOLD_SECONDS = '20';
// Few, so that an event is parked within one or two leases.
const PARK_AFTER_FAILURES = '4';
const PROVIDER_FILE = 'identity-provider.json';
// Tests read the page on every profile; only the embedded profile enables it by default.
const SANDBOX = 'on';
// Short, so that tests see the findings of the reconciliation.
const RECONCILIATION = { RECONCILIATION_SECONDS: '1', RECONCILIATION_DELAY_SECONDS: '4' };
/** For the tests of the metrics, which read it as SYSTEM_METRICS_TOKEN. */
const METRICS_TOKEN = 'a-token-for-the-metrics-of-the-tests';
const SETTINGS = {
  METRICS_TOKEN,
  HOLD_SECONDS,
  PARK_AFTER_FAILURES,
  SANDBOX,
  ...RECONCILIATION,
  ...UNLIMITED,
};

/**
 * Starts one system per profile. Puts their homes into the environment of the tests as SYSTEM_EMBEDDED
 * and SYSTEM_SERVERS, and as STOCK_ROUTER the address of a second router of the embedded system, which has
 * the executor of the gateway library.
 */
export default async function startSystems() {
  try {
    await startAll();
  } catch (error) {
    // Jest calls no teardown after a failed set-up.
    await stopAll();
    throw error;
  }
}

async function startAll() {
  process.env.SYSTEM_METRICS_TOKEN = METRICS_TOKEN;
  const profiles = (process.env.SPACERENT_TEST_PROFILES ?? 'embedded').split(',');
  if (profiles.includes('embedded')) {
    const home = await startSystem('embedded', SETTINGS);
    process.env.SYSTEM_EMBEDDED = home;
    const stock = await startSecondRouter(home, 'stock-router', {
      ...embeddedIdentity(home),
      ROUTER_EXECUTOR: 'stock',
    });
    stopAtEnd(stock.stop);
    process.env.STOCK_ROUTER = stock.graphqlUrl;
  }
  if (profiles.includes('servers')) {
    const provider = await startIdentityProvider();
    stopAtEnd(provider.stop);
    const environment = await startComposedServers(provider);
    const home = await startSystem('servers', { ...environment, ...SETTINGS });
    // With these the tests sign tokens as the provider does.
    writeFileSync(join(home, PROVIDER_FILE), JSON.stringify(provider.credentials));
    process.env.SYSTEM_SERVERS = home;
  }
}

/**
 * Runs `npm start`'s supervisor and resolves with its home once it is ready.
 *
 * @param {string} name
 * @param {Record<string, string>} environment
 */
async function startSystem(name, environment) {
  const home = temporaryFolder(name);
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(process.execPath, ['dist/supervisor/src/main.js'], {
    env: { ...inherited, PORT: '0', SPACERENT_HOME: home, SPACERENT_DEMO: 'off', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  stopAtEnd(async () => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    // The logs explain a failed run.
    if (!process.env.SPACERENT_TEST_KEEP) rmSync(home, { recursive: true, force: true });
  });
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`The ${name} system did not start:\n${output}`);
    if (readState(home) === 'ready') return home;
    await pause(100);
  }
  throw new Error(`The ${name} system was not ready within 60 s:\n${output}`);
}

/** @param {string} home */
function readState(home) {
  try {
    return JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')).state;
  } catch {
    return undefined;
  }
}

/**
 * Starts real servers with the credentials that "npm run ops -- secrets" makes for docker-compose.yml. Resolves with
 * the environment that the file gives its services, with hosts and ports of this machine.
 *
 * @param {{ settings: Record<string, string> }} provider
 */
async function startComposedServers({ settings }) {
  const variables = { ...randomSecrets(), ...settings };
  const { services, databasesSql } = readComposeFile('docker-compose.yml', variables);
  /** @type {Record<string, string | number> & { REDIS_URL: string, MYPAGE_DATABASE_URL: string }} */
  const composed = Object.assign({}, ...Object.values(services).map((each) => each.environment));
  const redisPassword = new URL(composed.REDIS_URL).password;
  const [postgres, mariaDb, redis] = await Promise.all([
    startPostgres(),
    startMariaDb(),
    startRedis(redisPassword),
  ]);
  for (const server of [postgres, mariaDb, redis]) stopAtEnd(server.stop);
  await createPostgresDatabases(postgres.url, databasesSql);
  await createMariaDbDatabase(mariaDb.port, new URL(composed.MYPAGE_DATABASE_URL));

  /** @type {Record<string, string>} */
  const hosts = {
    postgres: new URL(postgres.url).host,
    mariadb: `127.0.0.1:${mariaDb.port}`,
    redis: `127.0.0.1:${redis.port}`,
  };
  const toLocalAddress = (/** @type {[string, string | number]} */ [name, value]) => {
    const url = new URL(String(value));
    const host = hosts[url.hostname];
    if (!host) throw new Error(`${name} names a server that the tests do not start.`);
    url.host = host;
    return [name, url.href];
  };
  const addresses = Object.entries(composed).filter(([name]) => /DATABASE_URL|REDIS/.test(name));
  return asFiles({ ...Object.fromEntries(addresses.map(toLocalAddress)), ...settings });
}

/**
 * Writes each setting into a file of its own, as Docker and Kubernetes provide secrets.
 *
 * @param {Record<string, string>} environment
 * @returns {Record<string, string>}
 */
function asFiles(environment) {
  const folder = temporaryFolder('secrets');
  stopAtEnd(() => rmSync(folder, { recursive: true, force: true }));
  const variables = Object.entries(environment).map(([name, value]) => {
    const file = join(folder, name);
    writeFileSync(file, `${value}\n`, { mode: 0o600 });
    return [`${name}_FILE`, file];
  });
  return Object.fromEntries(variables);
}

/**
 * Runs the SQL of the file, as the image of PostgreSQL does at its first start.
 *
 * @param {string} url
 * @param {string} databasesSql
 */
async function createPostgresDatabases(url, databasesSql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // The embedded server comes with databases of its own.
  for (const name of ['book', 'payment', 'space']) await client.query(`DROP DATABASE ${name}`);
  for (const command of databasesSql.split(';')) {
    if (command.trim()) await client.query(command);
  }
  await client.end();
}

/**
 * Creates database and user, as the image of MariaDB does at its first start.
 *
 * @param {number} port
 * @param {URL} url
 */
async function createMariaDbDatabase(port, { username, password, pathname }) {
  const connection = await createConnection({ host: '127.0.0.1', port, user: 'root' });
  await connection.query(`CREATE DATABASE ${pathname.slice(1)}`);
  await connection.query(`CREATE USER '${username}'@'%' IDENTIFIED BY '${password}'`);
  await connection.query(`GRANT ALL ON ${pathname.slice(1)}.* TO '${username}'@'%'`);
  await connection.end();
}
