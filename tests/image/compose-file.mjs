import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * A server that the services need, which runs an image of its own.
 *
 * @typedef {object} Server
 * @property {string[]} command
 * @property {Record<string, string>} environment
 * @property {HealthCheck} healthcheck
 */

/**
 * A service that runs the image of this project.
 *
 * @typedef {object} Service
 * @property {string} build
 * @property {string} restart
 * @property {string[]} command
 * @property {Record<string, string | number>} environment
 * @property {HealthCheck} healthcheck
 * @property {boolean} [read_only]
 * @property {string[]} cap_drop
 * @property {string[]} security_opt
 * @property {string} stop_grace_period
 */

/**
 * `test` is the kind and the command.
 *
 * @typedef {{ test: string[] }} HealthCheck
 */

/**
 * @typedef {Record<string, Service> & { router: Service }} Services
 * @typedef {Record<'postgres' | 'mariadb' | 'redis', Server>} Servers
 * @typedef {{ 'create-databases': { content: string } }} Configs
 * @typedef {{ services: Services & Servers, configs: Configs }} ComposeFile
 */

/**
 * Reads docker-compose.yml with the given variables: the services that run the image, the servers that they
 * need, and the SQL that PostgreSQL runs at its first start. Throws, as Compose does, when a required
 * variable is missing.
 *
 * @param {string} file
 * @param {Record<string, string>} variables
 */
export function readComposeFile(file, variables) {
  const compose = /** @type {ComposeFile} */ (
    interpolated(parse(readFileSync(file, 'utf8'), { merge: true }), variables)
  );
  const all = Object.entries(compose.services);
  const services = /** @type {Services} */ (
    Object.fromEntries(all.filter(([, service]) => 'build' in service))
  );
  const servers = /** @type {Servers} */ (
    Object.fromEntries(all.filter(([, service]) => !('build' in service)))
  );
  const ports = Object.values(services).map(({ environment }) => Number(environment.PORT));
  return {
    services,
    servers,
    databasesSql: compose.configs['create-databases'].content,
    ports: [...ports, 5432, 3306, 6379],
  };
}

/**
 * Replaces `${NAME:-default}` and `${NAME:?sentence}` by values, and `$$` by `$`.
 *
 * @param {unknown} value
 * @param {Record<string, string>} variables
 * @returns {unknown}
 */
function interpolated(value, variables) {
  if (typeof value === 'string') {
    return value.replace(
      /\$(?:\$|\{(\w+):([-?])([^}]*)\})/g,
      (_match, name, operator, otherwise) => {
        if (!name) return '$';
        if (variables[name]) return variables[name];
        if (operator === '?') throw new Error(`${name} is missing: ${otherwise}`);
        return otherwise;
      },
    );
  }
  if (Array.isArray(value)) return value.map((each) => interpolated(each, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, interpolated(each, variables)]),
  );
}

/**
 * The command of a health check as an argument list, for the kinds `CMD` and `CMD-SHELL` of Compose.
 *
 * @param {{ healthcheck: HealthCheck }} service
 */
export function healthCommand({ healthcheck: { test } }) {
  const [kind, ...words] = test;
  return kind === 'CMD-SHELL' ? ['sh', '-c', ...words] : words;
}
