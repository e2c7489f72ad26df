import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './servers.mjs';

/**
 * All tests send from one address, and routers on one Redis count together; only the routers of the tests of limits
 * have limits.
 */
export const UNLIMITED = {
  MUTATIONS_PER_MINUTE_PER_USER: '0',
  MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
  QUERY_COST_PER_MINUTE_PER_USER: '0',
  QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
  WEBSOCKETS_PER_ADDRESS: '20000',
};

/**
 * What the supervisor publishes of a running system, as far as a second router needs it.
 *
 * @typedef {object} Instance
 * @property {Record<string, { url: string }>} services
 * @property {{ queue: string }} databases
 * @property {string} [redisUrl]
 */

/**
 * Starts a second router for the services of the running system in `home`. It has the addresses of that system, the
 * given settings, and no other limits. Resolves with `{ graphqlUrl, log, stop }` once it is ready; `log` is the path
 * of its log file.
 *
 * @param {string} home
 * @param {string} name
 * @param {Record<string, string>} settings
 */
export async function startSecondRouter(home, name, settings) {
  /** @type {Instance} */
  const { services, databases, redisUrl } = JSON.parse(
    readFileSync(join(home, 'instance.json'), 'utf8'),
  );
  const port = await freePort();
  const { NODE_OPTIONS, ...inherited } = process.env;
  const urls = Object.entries(services).map(([name, { url }]) => [
    `${name.toUpperCase()}_URL`,
    url,
  ]);
  const logFile = join(home, 'logs', `${name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, ['dist/router/src/main.js'], {
    stdio: ['ignore', log, log],
    env: {
      ...inherited,
      ...Object.fromEntries(urls),
      HOST: '127.0.0.1',
      PORT: String(port),
      DRAIN_SECONDS: '0',
      ...(redisUrl ? { REDIS_URL: redisUrl } : { QUEUE_DATABASE_URL: databases.queue }),
      INTERNAL_TOKEN_KEYS_FILE: join(home, 'internal-token-key'),
      ...UNLIMITED,
      ...settings,
    },
  });
  closeSync(log);
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  };
  const address = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt += 1) {
    if (await isReady(address)) return { graphqlUrl: `${address}/graphql`, log: logFile, stop };
    await pause(100);
  }
  await stop();
  throw new Error(`The router "${name}" did not start:\n${readFileSync(logFile, 'utf8')}`);
}

/**
 * The settings with which a router accepts the tokens that the embedded system in `home` issues.
 *
 * @param {string} home
 */
export function embeddedIdentity(home) {
  return {
    SPACERENT_PROFILE: 'embedded',
    AUTH_SECRET: readFileSync(join(home, 'auth-secret'), 'utf8').trim(),
  };
}

/** @param {string} address */
async function isReady(address) {
  try {
    return (await fetch(`${address}/health/ready`)).ok;
  } catch {
    return false;
  }
}
