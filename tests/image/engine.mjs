import { run, tryRun } from './processes.mjs';

/**
 * Runs a program for images and containers, and resolves with its output.
 *
 * @typedef {(args: string[]) => Promise<string>} Tool
 */

/**
 * What runs docker-compose.yml.
 *
 * @typedef {object} Engine
 * @property {Tool} tool docker or podman
 * @property {Tool} compose Docker Compose
 * @property {Tool} build builds the image of the services; its arguments are those of `compose` that choose the files
 * @property {boolean} takesStartInterval whether it knows the key `start_interval` of health checks
 * @property {(id: string) => Promise<string>} [checkHealth] for an engine that runs no health check by itself:
 * runs the check of a container, and resolves with the status of its health
 * @property {string} baseImage the name of the image that the image of the services was built on
 */

/**
 * Has the step run at the end of the test, also of a failed one.
 *
 * @typedef {(step: () => unknown) => void} AtEnd
 */

/** Whether a Docker engine runs, and its client has Compose. */
export async function hasDocker() {
  for (const args of [['info'], ['compose', 'version']]) {
    if ((await tryRun('docker', args)).code !== 0) return false;
  }
  return true;
}

/**
 * @param {string} baseImage
 * @returns {Engine}
 */
export function dockerEngine(baseImage) {
  const tool = (/** @type {string[]} */ args) => run('docker', args);
  const compose = (/** @type {string[]} */ args) => tool(['compose', ...args]);
  return {
    tool,
    compose,
    build: (files) => compose([...files, 'build', '--build-arg', `NODE_IMAGE=${baseImage}`]),
    takesStartInterval: true,
    baseImage,
  };
}
