import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/command.mjs';
import { randomSecrets } from '../../scripts/ops/secrets.mjs';
import { freePort } from '../support/servers.mjs';
import { baseImageName, imageSize } from './base-image.mjs';
import { dockerEngine, hasDocker } from './engine.mjs';
import { startTlsIdentityProvider } from './identity.mjs';
import { dockerPackages, ensurePackages, podmanPackages } from './packages.mjs';
import { startPodman } from './podman.mjs';
import { run, timed } from './processes.mjs';
import { openStack } from './stack.mjs';
import { testStack } from './stack-test.mjs';

/**
 * @param {import('./engine.mjs').AtEnd} atEnd
 * @param {boolean} mayInstall
 */
export async function testImage(atEnd, mayInstall) {
  const isDocker = await hasDocker();
  if (!isDocker && process.getuid?.() !== 0) {
    throw new Error(
      'There is no Docker engine with Compose, and without one the test must be run by root.',
    );
  }
  await ensurePackages(isDocker ? dockerPackages : podmanPackages, mayInstall);
  const folder = mkdtempSync(join(tmpdir(), 'spacerent-image-'));
  atEnd(() => discard(folder));
  // Containers run as other users, who must be able to read the certificate in it.
  chmodSync(folder, 0o711);

  const engine = isDocker
    ? dockerEngine(process.env.NODE_IMAGE ?? baseImageName(root))
    : await timed('The base image, PostgreSQL, MariaDB, Redis and Docker Compose are there', () =>
        startPodman(root, folder, atEnd),
      );
  const { stack, url, credentials } = await openTestStack(engine, folder, atEnd);
  await timed('The image is built', () => stack.build());
  console.log(`  ${await imageSize(engine.tool, 'spacerent', engine.baseImage)}`);
  await testStack({ engine, stack, url, credentials, atEnd });
}

/**
 * @param {import('./engine.mjs').Engine} engine
 * @param {string} folder
 * @param {import('./engine.mjs').AtEnd} atEnd
 */
async function openTestStack(engine, folder, atEnd) {
  const { provider, identity } = await startTlsIdentityProvider(folder);
  atEnd(provider.stop);
  const port = await freePort();
  const variables = { ...randomSecrets(), ...provider.settings, PORT: String(port) };
  const stack = await openStack({ engine, root, folder, variables, identity });
  const url = `http://127.0.0.1:${port}/graphql`;
  return { stack, url, credentials: provider.credentials };
}

/**
 * Unmounts first: mmdebstrap and buildah mount folders of this machine, which must not be deleted.
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
