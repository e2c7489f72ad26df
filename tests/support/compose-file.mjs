import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * A service that runs the image of this project.
 *
 * @typedef {object} Service
 * @property {Record<string, string | number>} environment
 */

/**
 * @typedef {Record<string, Service> & { router: Service }} Services
 * @typedef {{ 'create-databases': { content: string } }} Configs
 * @typedef {{ services: Services, configs: Configs }} ComposeFile
 */

/**
 * Reads docker-compose.yml with the given variables, without Docker Compose: the services that run the image, and the
 * SQL that PostgreSQL runs at its first start. Throws, as Compose does, when a required variable is
 * missing.
 *
 * @param {string} file
 * @param {Record<string, string>} variables
 */
export function readComposeFile(file, variables) {
  const compose = /** @type {ComposeFile} */ (
    interpolated(parse(readFileSync(file, 'utf8'), { merge: true }), variables)
  );
  const services = /** @type {Services} */ (
    Object.fromEntries(Object.entries(compose.services).filter(([, service]) => 'build' in service))
  );
  return { services, databasesSql: compose.configs['create-databases'].content };
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
