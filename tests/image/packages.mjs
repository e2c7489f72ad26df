import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './processes.mjs';

/**
 * Programs that the test runs, or that those run, by their Debian packages.
 *
 * @type {Record<string, () => boolean>}
 */
const programs = {
  openssl: () => isOnPath('openssl'),
  buildah: () => isOnPath('buildah'),
  podman: () => isOnPath('podman'),
  runc: () => isOnPath('runc'),
  netavark: () => existsSync('/usr/lib/podman/netavark'),
  'aardvark-dns': () => existsSync('/usr/lib/podman/aardvark-dns'),
  iptables: () => isOnPath('iptables'),
  mmdebstrap: () => isOnPath('mmdebstrap'),
  'debian-archive-keyring': () => existsSync('/usr/share/keyrings/debian-archive-keyring.gpg'),
};

/** What an engine needs. */
export const dockerPackages = ['openssl'];
export const podmanPackages = Object.keys(programs);

/**
 * Installs those of the Debian packages that are missing; throws with their names if it may not install.
 *
 * @param {string[]} names
 * @param {boolean} mayInstall
 */
export async function ensurePackages(names, mayInstall) {
  // Some of the programs are in sbin folders, which the PATH of an ordinary user often lacks.
  process.env.PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);
  const missing = names.filter((name) => !programs[name]?.());
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
 * Debian starts services when it installs them, and podman's is not needed.
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
