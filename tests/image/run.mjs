// npm run test:image: builds the image for real and runs docker-compose.yml's services from it.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toMessage } from '../../scripts/command.mjs';
import { requireNode } from '../../scripts/node-version.mjs';
import { endRunning, run } from './processes.mjs';

const help = `Usage: npm run test:image [-- --install]

Builds the Dockerfile, starts PostgreSQL, MariaDB and Redis on this machine and every service of
docker-compose.yml from the image, with the environment, the health checks and the restart policies of that file;
books a space through the router; kills each service in turn, which its restart policy must heal, and books again
meanwhile; checks that no booking was lost; and stops everything with SIGTERM. Needs Linux.

With a Docker engine the image is built and run by it. Without one, and as root, buildah and podman
do it; the base image is then made by debootstrap, since there may be no registry to pull it from.

  --install    installs the Debian packages that are missing (so does CI=true)
  NODE_IMAGE   the base image to use instead of the one that the Dockerfile names
  TMPDIR       where the images and the databases are put while the test runs (about 3 GB)

The ports 5432, 3306, 6379, 4000 to 4004 and 4010 must be free.`;

/** @typedef {import('./container-tool.mjs').Container} Container */

const root = join(import.meta.dirname, '..', '..');

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(help);
} else {
  requireNode();
  await main();
}

async function main() {
  /**
   * Ends everything that was started, in reverse order.
   *
   * @type {(() => unknown)[]}
   */
  const undo = [];
  const interrupted = new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => reject(new Error(`The test was ended by ${signal}.`)));
    }
  });
  const started = performance.now();
  try {
    await Promise.race([testImage((step) => undo.push(step)), interrupted]);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`The image works (${seconds} s).`);
  } catch (error) {
    console.error(toMessage(error));
    process.exitCode = 1;
  }
  await endRunning();
  for (const step of undo.reverse()) {
    try {
      await step();
    } catch (error) {
      console.error(`Cleaning up: ${toMessage(error)}`);
      process.exitCode = 1;
    }
  }
  // An interrupted step may still be waiting.
  process.exit();
}

/** @param {import('./servers.mjs').AtEnd} atEnd */
async function testImage(atEnd) {
  const { ensureInstalled } = await import('../../scripts/install.mjs');
  await ensureInstalled();
  const { readComposeFile } = await import('./compose-file.mjs');
  const { ensurePackages } = await import('./packages.mjs');
  const { chooseTool } = await import('./container-tool.mjs');
  const { requireFreePorts, startServers } = await import('./servers.mjs');
  const { listBookableSpace } = await import('./booking.mjs');

  const { randomSecrets } = await import('../../scripts/ops/secrets.mjs');
  const { startIdentityProvider } = await import('../support/identity-provider.mjs');

  const provider = await startIdentityProvider();
  atEnd(provider.stop);
  const { services, servers, databasesSql, ports } = readComposeFile(
    join(root, 'docker-compose.yml'),
    { ...randomSecrets(), ...provider.settings },
  );
  await requireFreePorts(ports);
  const tool = await chooseTool();
  await ensurePackages(tool.packages, process.argv.includes('--install'));

  const folder = mkdtempSync(join(tmpdir(), 'spacerent-image-'));
  atEnd(() => discard(folder));
  // The databases run as other users, who must be able to reach their folders.
  chmodSync(folder, 0o711);

  const image = await timed('The image is built', () => tool.build(root, folder));
  atEnd(() => image.remove());
  console.log(`  ${image.size}`);

  await timed('PostgreSQL, MariaDB and Redis run', () =>
    startServers({ servers, databasesSql, folder, atEnd }),
  );

  const hosts = [...Object.keys(services), ...Object.keys(servers)];
  /** @type {Container[]} */
  const containers = [];
  atEnd(() => Promise.all(containers.map((container) => container.remove())));
  await timed('Every service is healthy and none runs as root', async () => {
    for (const [name, service] of Object.entries(services)) {
      containers.push(await image.start(name, service, hosts));
    }
    await Promise.all(containers.map((container) => container.healthy()));
    await Promise.all(containers.map(requireOrdinaryUser));
  });

  const { PORT } = services.router.environment;
  const url = `http://127.0.0.1:${PORT}/graphql`;
  /** @type {string[]} */
  const bookings = [];
  const { book, requireRegistered } = await listBookableSpace(url, provider.credentials);
  await timed('A space was booked, paid and registered, and mypage shows it', async () => {
    bookings.push(await book());
  });

  for (const container of containers) {
    await timed(
      `${container.name} was killed, started again, and a booking was made meanwhile`,
      async () => {
        await container.crash();
        const [bookingId] = await Promise.all([book(), container.healed()]);
        bookings.push(bookingId);
      },
    );
  }
  await timed(`All ${bookings.length} bookings are still there`, () =>
    Promise.all(bookings.map(requireRegistered)),
  );

  await timed('Every service ended with exit code 0 after SIGTERM', async () => {
    const isRouter = (/** @type {Container} */ { name }) => name === 'router';
    await Promise.all(containers.filter(isRouter).map((router) => router.stop()));
    const subgraphs = containers.filter((container) => !isRouter(container));
    await Promise.all(subgraphs.map((subgraph) => subgraph.stop()));
  });
}

/**
 * Unmounts first: debootstrap and buildah mount folders of this machine, which must not be deleted.
 *
 * @param {string} folder
 */
async function discard(folder) {
  const mounts = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8') : '';
  const places = mounts.split('\n').map((line) => line.split(' ')[1] ?? '');
  const below = places.filter((place) => place.startsWith(`${folder}/`));
  for (const place of below.reverse()) await run('umount', [place]);
  rmSync(folder, { recursive: true, force: true });
}

/** @param {Container} container */
async function requireOrdinaryUser(container) {
  const uid = (await container.exec(['id', '-u'])).trim();
  if (!/^[1-9]\d*$/.test(uid)) throw new Error(`${container.name} runs as the user ${uid}.`);
}

/**
 * Resolves with the result of `work`, and prints how long it took.
 *
 * @template T
 * @param {string} done
 * @param {() => Promise<T>} work
 */
async function timed(done, work) {
  const started = performance.now();
  const result = await work();
  console.log(`✓ ${done} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}
