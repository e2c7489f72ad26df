import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireOnlyAdded, writeOverride } from './override.mjs';

/**
 * A service of docker-compose.yml, as `docker compose config` prints it.
 *
 * @typedef {object} Service
 * @property {object} [build] only what runs the project's image has it
 * @property {string} image
 * @property {Record<string, string>} environment
 * @property {{ test: string[], interval: string, start_interval?: string }} healthcheck
 * @property {string[]} [extra_hosts]
 * @property {{ source: string }[]} [configs]
 */

/**
 * @typedef {object} ComposeFile
 * @property {Record<string, Service>} services
 * @property {Record<string, object>} configs
 */

/** @typedef {Awaited<ReturnType<typeof openStack>>} Stack */

export const project = 'spacerent-image-test';
const wait = ['--wait', '--wait-timeout', '600'];

/**
 * Has Docker Compose read docker-compose.yml with the given variables and what the test adds, which is checked to be
 * no more than that.
 *
 * @param {object} options
 * @param {import('./engine.mjs').Engine} options.engine
 * @param {string} options.root
 * @param {string} options.folder
 * @param {Record<string, string>} options.variables
 * @param {import('./override.mjs').Identity} options.identity
 */
export async function openStack({ engine, root, folder, variables, identity }) {
  const envFile = join(folder, 'variables.env');
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  writeFileSync(envFile, lines.join('\n'), { mode: 0o600 });
  // This file takes the place of the operator's own .env.
  const common = ['--project-name', project, '--project-directory', root, '--env-file', envFile];
  common.push('--profile', '*', '--file', join(root, 'docker-compose.yml'));
  /** @type {(files: string[]) => Promise<ComposeFile>} */
  const read = async (files) =>
    JSON.parse(await engine.compose([...files, 'config', '--format', 'json']));
  const plain = await read(common);
  const override = join(folder, 'override.yml');
  writeOverride(override, plain, identity, engine.takesStartInterval);
  const files = [...common, '--file', override];
  const { services } = requireOnlyAdded(await read(files), plain, engine.takesStartInterval);
  const compose = (/** @type {string[]} */ args) => engine.compose([...files, ...args]);
  return {
    services,
    build: () => engine.build(files),
    /** Resolves when every container is healthy. */
    up: () => compose(['up', '--detach', '--no-build', ...wait]),
    stop: () => compose(['stop']),
    /** Removes the containers and the network, and leaves the data. */
    down: () => compose(['down']),
    /** Removes everything, the data too. */
    remove: () => compose(['down', '--volumes', '--timeout', '1']),
  };
}
