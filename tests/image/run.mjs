// npm run test:image: builds the image for real and brings docker-compose.yml up from it.
import { toMessage } from '../../scripts/command.mjs';
import { requireNode } from '../../scripts/node-version.mjs';
import { endRunning } from './processes.mjs';

const help = `Usage: npm run test:image [-- --install]

Builds the Dockerfile and has Docker Compose bring docker-compose.yml up, with its network, volumes, databases and
profiles; books a space through the router; kills the process of each container in turn, which its
restart policy must heal, and books again meanwhile; checks that no booking was lost, that every container ends
with 0 when it is stopped, and that the data outlive the containers. Needs Linux.

With a Docker engine and its plugin Compose, these build and run the images that the file names. Without
them, and as root, buildah builds, and podman runs the file through the Docker Compose of Debian's packages. There may
be no registry then: the base image and the images of PostgreSQL, MariaDB and Redis are made of
packages of Debian and npm.

  --install    installs the Debian packages that are missing (so does CI=true)
  NODE_IMAGE   the base image to use instead of the one that the Dockerfile names
  TMPDIR       where the images and the databases are put while the test runs (about 4 GB)

The port 4010 must be free, and containers must reach this machine.`;

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
    await Promise.race([test((step) => undo.push(step)), interrupted]);
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

/** @param {import('./engine.mjs').AtEnd} atEnd */
async function test(atEnd) {
  const { installAndBuild } = await import('../../scripts/run-built.mjs');
  await installAndBuild();
  const { testImage } = await import('./image-test.mjs');
  await testImage(atEnd, process.argv.includes('--install'));
}
