import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { buildBaseImage } from './base-image.mjs';
import { eventually, lastLines, run, tryRun } from './processes.mjs';
import { buildMariadb, buildPostgresAndRedis } from './stand-ins.mjs';

/** A sandbox may forbid the higher limits that podman sets by default. */
const limits = ['nofile=1024:1024', 'nproc=1000:1000'];

/**
 * Starts podman's service, which answers like a Docker engine, with a storage of its own, and builds the images
 * that docker-compose.yml names other than the project's own. `NODE_IMAGE` may name the base image.
 *
 * @param {string} root
 * @param {string} folder
 * @param {import('./engine.mjs').AtEnd} atEnd
 * @returns {Promise<import('./engine.mjs').Engine>}
 */
export async function startPodman(root, folder, atEnd) {
  const configuration = join(folder, 'containers.conf');
  writeFileSync(configuration, `[containers]\ndefault_ulimits = ${JSON.stringify(limits)}\n`);
  const env = {
    ...process.env,
    CONTAINERS_CONF: configuration,
    // Without it, podman fails to start a container with a health check where systemd does not run.
    DISABLE_HC_SYSTEMD: 'true',
    // Buildah keeps the cache mounts of the Dockerfile there.
    TMPDIR: folder,
  };
  const storage = ['--root', join(folder, 'images'), '--runroot', join(folder, 'run')];
  const global = [...storage, '--tmpdir', join(folder, 'podman'), '--runtime', 'runc'];
  global.push('--network-backend', 'netavark', '--network-config-dir', join(folder, 'networks'));
  // Without systemd, podman must manage control groups and events itself.
  global.push('--cgroup-manager', 'cgroupfs', '--events-backend', 'file');
  const podman = (/** @type {string[]} */ args) => run('podman', [...global, ...args], { env });

  const [baseImage, compose] = await allOrNone([
    process.env.NODE_IMAGE ?? buildBaseImage(root, folder, podman),
    buildMariadb(folder, podman),
    buildPostgresAndRedis(folder, podman),
  ]);
  const socket = join(folder, 'podman.sock');
  await startService([...global, 'system', 'service', '--time', '0'], socket, env, folder, atEnd);
  const buildah = ['bud', '--isolation', 'chroot', '--ulimit', 'nofile=1024:1024'];
  buildah.push('--build-arg', `NODE_IMAGE=${baseImage}`);
  buildah.push('--tag', 'docker.io/library/spacerent', root);
  return {
    tool: podman,
    compose: (args) =>
      run(compose, args, { env: { ...process.env, DOCKER_HOST: `unix://${socket}` } }),
    build: () => run('buildah', [...storage, ...buildah], { env }),
    takesStartInterval: false,
    async checkHealth(id) {
      // It fails where the check does, and while the container does not run.
      await tryRun('podman', [...global, 'healthcheck', 'run', id], { env });
      const status = ['inspect', '--format', '{{.State.Health.Status}}', id];
      const { code, output } = await tryRun('podman', [...global, ...status], { env });
      return code === 0 ? output.trim() : 'starting';
    },
    baseImage,
  };
}

/**
 * Like Promise.all, but the clean-up must not begin while another step still writes.
 *
 * @template {unknown[]} T
 * @param {T} steps
 * @returns {Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>}
 */
async function allOrNone(steps) {
  await Promise.allSettled(steps);
  return Promise.all(steps);
}

/**
 * @param {string[]} args
 * @param {string} socket
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder
 * @param {import('./engine.mjs').AtEnd} atEnd
 */
async function startService(args, socket, env, folder, atEnd) {
  const logFile = join(folder, 'podman.log');
  const log = openSync(logFile, 'a');
  const child = spawn('podman', [...args, `unix://${socket}`], {
    env,
    // Ctrl-C must not reach it: the clean-up needs it.
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise((resolve) => child.once('close', resolve));
  atEnd(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await eventually(
    60,
    async () => ((await responds(socket)) ? true : undefined),
    () => `podman's service does not respond: ${lastLines(readFileSync(logFile, 'utf8'), 20)}`,
  );
}

/**
 * @param {string} socketPath
 * @returns {Promise<boolean>}
 */
function responds(socketPath) {
  return new Promise((resolve) => {
    const request = get({ socketPath, path: '/_ping' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}
