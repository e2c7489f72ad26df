// npm run ops -- queues: the queue console for the operator of this machine.
import { createServer } from 'node:net';
import { CommandError, parseOptions, UsageError } from '../command.mjs';
import { importBuilt } from '../run-built.mjs';
import { embeddedToken } from './operator-client.mjs';
import { dataFolder, readInstance } from './running-system.mjs';

const DEFAULT_PORT = 4010;

export const help = `Usage: npm run ops -- queues [--port N]

Serves the queue console on this machine alone, until Ctrl-C: which events wait in which queue, for whom, and
what their last attempt failed with. It changes nothing.

  --port N   where it listens: http://127.0.0.1:N (default ${DEFAULT_PORT})

It reads the queue of the system that "npm start" runs here (SPACERENT_HOME names its data folder,
.spacerent without it), and prints a token to sign in with. With REDIS_URL or QUEUE_DATABASE_URL in the
environment it reads that server, and accepts operators' tokens of the OpenID provider that AUTH_JWKS_URL,
AUTH_ISSUER and AUTH_AUDIENCE name. docs/operations/queue-console.md says how it runs in a deployment.`;

/** @param {string[]} args */
export async function run(args) {
  const { values } = parseOptions(help, { args, options: { port: { type: 'string' } } });
  const port = Number(values.port ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UsageError(`--port must be a whole number from 1 to 65535, not "${values.port}".`);
  }
  const { settings, token } = await findQueue(dataFolder());
  await requireFreePort(port);
  replaceSettings({
    ...settings,
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: process.env.LOG_LEVEL || 'warn',
    DRAIN_SECONDS: '0',
  });
  await importBuilt('router/src/console/main.js');
  console.log(`The queue console listens at http://127.0.0.1:${port}`);
  if (token) console.log(`\nSign in with this token, for an hour:\n\n${token}`);
  console.log('\nCtrl-C stops.');
}

/**
 * The settings that name the queue's server and who signs operators' tokens; `token` is one of an operator
 * where this machine itself can sign it.
 *
 * @param {string} home
 * @returns {Promise<{ settings: Record<string, string>, token?: string }>}
 */
async function findQueue(home) {
  const names = ['REDIS_URL', 'QUEUE_DATABASE_URL'];
  if (names.some((name) => process.env[name] || process.env[`${name}_FILE`])) {
    return { settings: {} };
  }
  const instance = readInstance(home);
  if (!instance) {
    throw new CommandError(
      `No spacerent runs on ${home}: start it with "npm start", name its folder in SPACERENT_HOME, ` +
        'or set REDIS_URL or QUEUE_DATABASE_URL.',
    );
  }
  if (instance.profile === 'servers') {
    return { settings: { SPACERENT_PROFILE: 'servers', REDIS_URL: String(instance.redisUrl) } };
  }
  const { secret, token } = await embeddedToken(home, process.env);
  const queue = String(instance.databases.queue);
  return {
    settings: { SPACERENT_PROFILE: 'embedded', AUTH_SECRET: secret, QUEUE_DATABASE_URL: queue },
    token,
  };
}

/**
 * Sets the variables for the program that reads them; a file of the same setting would be refused.
 *
 * @param {Record<string, string>} settings
 */
function replaceSettings(settings) {
  for (const [name, value] of Object.entries(settings)) {
    process.env[name] = value;
    delete process.env[`${name}_FILE`];
  }
}

/** @param {number} port */
async function requireFreePort(port) {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined));
  }).catch((error) => {
    const reason = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
    throw new CommandError(`Port ${port} cannot be used: ${reason}. Name another with --port.`);
  });
  await new Promise((resolve) => server.close(resolve));
}
