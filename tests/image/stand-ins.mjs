// Test images under the names of the official ones, for machines that cannot pull images. They hold the servers
// of Debian and npm, and of the official images' scripts what docker-compose.yml uses: see stand-ins/.
import { copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importImage } from './base-image.mjs';
import { run } from './processes.mjs';

const path = '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const scripts = join(import.meta.dirname, 'stand-ins');
/** What the scripts run; it must be named where packages are unpacked and not installed. */
const shell = ['base-files', 'dash', 'coreutils', 'grep', 'sed', 'util-linux'];

/**
 * Redis 7, and PostgreSQL 18 from npm with the client programs of Debian's PostgreSQL 15, which npm lacks.
 *
 * @param {string} folder
 * @param {import('./engine.mjs').Tool} podman
 */
export async function buildPostgresAndRedis(folder, podman) {
  const tree = join(folder, 'bookworm');
  const packages = [...shell, 'redis-server', 'redis-tools', 'postgresql-client-15'];
  await unpack('bookworm', packages, tree);
  const { copyBinaries, locateBinaries } = await import('#supervisor/src/postgres-binaries.ts');
  const postgres = copyBinaries(locateBinaries(folder), folder);
  cpSync(postgres.folder, join(tree, 'usr/lib/postgresql/18'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  addUsers(tree, ['postgres', 'redis']);
  for (const name of ['postgres.sh', 'redis.sh']) {
    copyFileSync(join(scripts, name), join(tree, 'usr/bin', name));
  }
  const programs = '/usr/lib/postgresql/18/bin:/usr/lib/postgresql/15/bin';
  await importImage(podman, tree, 'docker.io/library/postgres:18', [
    `ENV PATH=${programs}:${path}`,
    'ENV PGDATA=/var/lib/postgresql/18/docker',
    'ENTRYPOINT ["postgres.sh"]',
    // SIGTERM would wait for clients to disconnect.
    'STOPSIGNAL SIGINT',
  ]);
  await importImage(podman, tree, 'docker.io/library/redis:7', [
    `ENV PATH=${path}`,
    'ENTRYPOINT ["redis.sh"]',
    'WORKDIR /data',
  ]);
  rmSync(tree, { recursive: true });
}

/**
 * MariaDB 11 from the Debian release that has it. That has also the Docker Compose that docker-compose.yml
 * needs: resolves with its file.
 *
 * @param {string} folder
 * @param {import('./engine.mjs').Tool} podman
 */
export async function buildMariadb(folder, podman) {
  const tree = join(folder, 'trixie');
  const packages = [...shell, 'mariadb-server-core', 'mariadb-client-core', 'docker-compose'];
  await unpack('trixie', packages, tree);
  const plugin = join(tree, 'usr/libexec/docker/cli-plugins/docker-compose');
  const compose = join(folder, 'docker-compose');
  copyFileSync(plugin, compose);
  rmSync(plugin);
  addUsers(tree, ['mysql']);
  copyFileSync(join(scripts, 'mariadb.sh'), join(tree, 'usr/bin/mariadb.sh'));
  copyFileSync(join(scripts, 'mariadb-healthcheck.sh'), join(tree, 'usr/bin/healthcheck.sh'));
  await importImage(podman, tree, 'docker.io/library/mariadb:11', [
    `ENV PATH=${path}`,
    'ENTRYPOINT ["mariadb.sh"]',
  ]);
  rmSync(tree, { recursive: true });
  return compose;
}

/**
 * Unpacks packages with everything that they depend on. None is configured, which would take minutes.
 *
 * @param {string} suite
 * @param {string[]} packages
 * @param {string} tree
 */
async function unpack(suite, packages, tree) {
  const include = `--include=${packages.join(',')}`;
  await run('mmdebstrap', ['--mode=root', '--variant=extract', include, suite, tree]);
}

/**
 * @param {string} tree
 * @param {string[]} names
 */
function addUsers(tree, names) {
  const users = [['root', 0], ...names.map((name, index) => [name, 999 - index])];
  const passwd = users.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/sh\n`);
  writeFileSync(join(tree, 'etc/passwd'), passwd.join(''));
  writeFileSync(join(tree, 'etc/group'), users.map(([name, id]) => `${name}:x:${id}:\n`).join(''));
}
