import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './processes.mjs';
import { postgresFolder } from './servers.mjs';

/**
 * Whether each Debian package is installed.
 *
 * @type {Record<string, () => boolean>}
 */
const serverPackages = {
  postgresql: () => postgresFolder() !== undefined,
  'mariadb-server': () => isOnPath('mariadbd') && isOnPath('mariadb-install-db'),
  'redis-server': () => isOnPath('redis-server') && isOnPath('redis-cli'),
};

/**
 * Installs the missing Debian packages; throws with their names if it may not install.
 *
 * @param {string[]} toolPackages
 * @param {boolean} mayInstall
 */
export async function ensurePackages(toolPackages, mayInstall) {
  // Server programs are in sbin folders, which the PATH of an ordinary user often lacks.
  process.env.PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);
  const missing = [
    ...toolPackages.filter((name) => !isOnPath(name)),
    ...Object.entries(serverPackages).flatMap(([name, isThere]) => (isThere() ? [] : [name])),
  ];
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (!mayInstall && ['', '0', 'false'].includes(process.env.CI ?? '')) {
    throw new Error(
      `The test needs these Debian packages, which are missing: ${list}. ` +
        'Run it with --install to have them installed.',
    );
  }
  if (process.getuid?.() !== 0) throw new Error(`Only root can install what is missing: ${list}.`);
  console.log(`Installing ${list}`);
  await installWithoutStarting(missing);
}

/**
 * Debian starts servers when it installs them, and they would occupy the ports of the test.
 *
 * @param {string[]} names
 */
async function installWithoutStarting(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['update', '--quiet'], { env });
    const options = ['--yes', '--quiet', '--no-install-recommends'];
    await run('apt-get', ['install', ...options, ...names], { env });
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

/** @param {string} name */
function isOnPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, name)));
}
