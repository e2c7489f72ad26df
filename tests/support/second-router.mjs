import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './servers.mjs';

/**
 * Starts a second router for the services of the running system in `home`. It has the given settings and
 * the addresses of that system. Resolves with `{ graphqlUrl, log, stop }` once it is ready; `log` is the
 * path of its log file.
 */
export async function startSecondRouter(home, name, settings) {
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
      INTERNAL_TOKEN_KEYS: readFileSync(join(home, 'internal-token-key'), 'utf8').trim(),
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

/** The settings with which a router accepts the tokens that the embedded system in `home` issues. */
export function embeddedIdentity(home) {
  return {
    SPACERENT_PROFILE: 'embedded',
    AUTH_SECRET: readFileSync(join(home, 'auth-secret'), 'utf8').trim(),
  };
}

async function isReady(address) {
  try {
    return (await fetch(`${address}/health/ready`)).ok;
  } catch {
    return false;
  }
}
