import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './servers.mjs';

/**
 * Starts a second router before the services of the embedded system in `home`, with the stock
 * executor and further settings. Resolves with its `{ graphqlUrl, stop }` once it is ready.
 */
export async function startStockRouter(home, settings) {
  const { services, databases } = JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8'));
  const port = await freePort();
  const { NODE_OPTIONS, ...inherited } = process.env;
  const urls = Object.entries(services).map(([name, { url }]) => [
    `${name.toUpperCase()}_URL`,
    url,
  ]);
  const log = openSync(join(home, 'logs', 'stock-router.log'), 'a');
  const child = spawn(process.execPath, ['dist/router/src/main.js'], {
    stdio: ['ignore', log, log],
    env: {
      ...inherited,
      ...Object.fromEntries(urls),
      HOST: '127.0.0.1',
      PORT: String(port),
      QUEUE_DATABASE_URL: databases.queue,
      AUTH_SECRET: readFileSync(join(home, 'auth-secret'), 'utf8').trim(),
      SPACERENT_PROFILE: 'embedded',
      ROUTER_EXECUTOR: 'stock',
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
    if (await isReady(address)) return { graphqlUrl: `${address}/graphql`, stop };
    await pause(100);
  }
  await stop();
  throw new Error(`The router with the stock executor did not start; see the logs in ${home}.`);
}

async function isReady(address) {
  try {
    return (await fetch(`${address}/health/ready`)).ok;
  } catch {
    return false;
  }
}
