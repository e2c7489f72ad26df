import { join } from 'node:path';
import { healthCommand } from './compose-file.mjs';
import { baseImageName, buildFakeBaseImage } from './fake-base-image.mjs';
import { eventually, lastLines, run, tryRun } from './processes.mjs';

/**
 * Runs a program for images and containers, and resolves with its output.
 *
 * @typedef {(args: string[]) => Promise<string>} Tool
 */

/** @typedef {ReturnType<typeof image>} Image */
/** @typedef {ReturnType<typeof container>} Container */
/** @typedef {import('./compose-file.mjs').Service} Service */

/**
 * How the image is built, and the Debian packages that it takes.
 *
 * @typedef {{ packages: string[], build: (root: string, folder: string) => Promise<Image> }} Builder
 */

const imageName = 'localhost/spacerent-image-test';
/** Each check starts a program in the container, and so do those of the others at the same time. */
const HEALTHY_TIMEOUT_SECONDS = 300;

/**
 * Chooses Docker if an engine runs, else buildah and podman.
 *
 * @returns {Promise<Builder>}
 */
export async function chooseTool() {
  const { code } = await tryRun('docker', ['info']);
  if (code === 0) return { packages: [], build: buildWithDocker };
  if (process.getuid?.() !== 0) {
    throw new Error('There is no Docker engine, and without one the test must be run by root.');
  }
  return { packages: ['buildah', 'podman', 'runc', 'debootstrap'], build: buildWithBuildah };
}

/** @param {string} root */
async function buildWithDocker(root) {
  const base = process.env.NODE_IMAGE;
  const choice = base ? ['--build-arg', `NODE_IMAGE=${base}`] : [];
  await run('docker', ['build', '--tag', imageName, ...choice, root]);
  const docker = (/** @type {string[]} */ args) => run('docker', args);
  return image(docker, [], await sizes(docker, base ?? baseImageName(root)));
}

/**
 * @param {string} root
 * @param {string} folder
 */
async function buildWithBuildah(root, folder) {
  const storage = ['--root', join(folder, 'images'), '--runroot', join(folder, 'run')];
  // Buildah keeps the cache mounts of the Dockerfile in TMPDIR.
  const env = { ...process.env, TMPDIR: folder };
  const buildah = (/** @type {string[]} */ args) => run('buildah', [...storage, ...args], { env });
  // Without systemd, podman must manage control groups and events itself.
  const global = [...storage, '--tmpdir', join(folder, 'podman'), '--runtime', 'runc'];
  global.push('--cgroup-manager', 'cgroupfs', '--events-backend', 'file');
  const podman = (/** @type {string[]} */ args) => run('podman', [...global, ...args]);

  const base = process.env.NODE_IMAGE ?? (await buildFakeBaseImage(root, folder, podman));
  const build = ['bud', '--isolation', 'chroot', '--ulimit', 'nofile=1024:1024'];
  await buildah([...build, '--build-arg', `NODE_IMAGE=${base}`, '--tag', imageName, root]);

  // A sandbox may forbid the higher limits that podman sets by default.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];
  const size = await sizes(podman, base);
  return image(podman, [...limits, '--log-driver', 'k8s-file'], size);
}

/**
 * The size of the image in words; `base` is the image that it is built on.
 *
 * @param {Tool} tool
 * @param {string} base
 */
async function sizes(tool, base) {
  const inspect = async (/** @type {string} */ name) =>
    Number(await tool(['image', 'inspect', '--format', '{{.Size}}', name]));
  const whole = await inspect(imageName);
  // BuildKit does not put the base into the list of images.
  const below = await inspect(base).catch(() => undefined);
  const megabytes = (/** @type {number} */ bytes) => `${Math.round(bytes / 1e6)} MB`;
  if (below === undefined) return `${megabytes(whole)} with the base image`;
  return `${megabytes(whole)}, of which ${megabytes(below)} are the base image`;
}

/**
 * @param {Tool} tool
 * @param {string[]} runOptions
 * @param {string} size
 */
function image(tool, runOptions, size) {
  return {
    size,
    remove: () => tool(['rmi', '--force', imageName]),
    /**
     * Starts a service with the options of the compose file, on the host's network.
     *
     * @param {string} name
     * @param {Service} service
     * @param {string[]} hosts
     */
    async start(name, service, hosts) {
      const id = `spacerent-image-test-${name}`;
      await tool([
        ...['run', '--detach', '--name', id, '--network', 'host', ...runOptions],
        ...['--restart', service.restart],
        ...hosts.flatMap((host) => ['--add-host', `${host}:127.0.0.1`]),
        ...Object.entries(service.environment).flatMap(([key, value]) => [
          '--env',
          `${key}=${value}`,
        ]),
        ...(service.read_only ? ['--read-only'] : []),
        ...service.cap_drop.flatMap((capability) => ['--cap-drop', capability]),
        ...service.security_opt.flatMap((option) => ['--security-opt', option.replace(/:.*/, '')]),
        imageName,
        ...service.command,
      ]);
      return container(tool, name, id, service);
    },
  };
}

/**
 * @param {Tool} tool
 * @param {string} name
 * @param {string} id
 * @param {Service} service
 */
function container(tool, name, id, service) {
  const logs = async () => lastLines(await tool(['logs', '--tail', '25', id]), 25);
  const state = (/** @type {string} */ field) =>
    tool(['inspect', '--format', `{{.State.${field}}}`, id]).then((text) => text.trim());
  const restartCount = async () =>
    Number(await tool(['inspect', '--format', '{{.RestartCount}}', id]));
  const exec = (/** @type {string[]} */ command) => tool(['exec', id, ...command]);
  /**
   * Resolves when the health check of the compose file succeeds.
   *
   * @param {() => Promise<boolean>} isOver whether the container has ended for good
   */
  const healthy = (isOver) => {
    let failure = '';
    return eventually(
      HEALTHY_TIMEOUT_SECONDS,
      async () => {
        if (await isOver()) {
          throw new Error(`${name} ended by itself. Its log ends with:\n${await logs()}`);
        }
        return exec(healthCommand(service)).catch(({ message }) => {
          failure = message;
        });
      },
      async () =>
        `${name} is not healthy after ${HEALTHY_TIMEOUT_SECONDS} s: ${failure}\n` +
        `Its log ends with:\n${await logs()}`,
    );
  };
  return {
    name,
    exec,
    /** Resolves when it is healthy for the first time; rejects when it ended before. */
    async healthy() {
      await healthy(async () => (await state('Running')) !== 'true');
      const restarts = await restartCount();
      if (restarts === 0) return;
      throw new Error(`${name} has started ${restarts} times more than once:\n${await logs()}`);
    },
    /** Kills its process: a kill by the container tool counts as a stop, after which nothing restarts. */
    async crash() {
      const pid = await state('Pid');
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        await run('sudo', ['-n', 'kill', '-KILL', pid]);
      }
    },
    /** Resolves when its restart policy has started it again after a crash, and it is healthy. */
    async healed() {
      await eventually(
        60,
        async () => ((await restartCount()) > 0 ? true : undefined),
        async () => `${name} was not restarted within 60 s. Its log ends with:\n${await logs()}`,
      );
      await healthy(async () => (await restartCount()) > 1);
    },
    async stop() {
      await tool(['stop', '--time', String(Number.parseInt(service.stop_grace_period, 10)), id]);
      const code = await state('ExitCode');
      if (code === '0') return;
      throw new Error(
        `${name} ended with exit code ${code} after SIGTERM. Its log ends with:\n${await logs()}`,
      );
    },
    remove: () => tool(['rm', '--force', id]),
  };
}
