import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * Reads docker-compose.yml with the given variables: the services that run the image, the servers that they
 * need, and the SQL that PostgreSQL runs at its first start. Throws, as Compose does, when a required
 * variable is missing.
 */
export function readComposeFile(file, variables) {
  const compose = interpolated(parse(readFileSync(file, 'utf8'), { merge: true }), variables);
  const all = Object.entries(compose.services);
  const services = Object.fromEntries(all.filter(([, service]) => service.build !== undefined));
  const servers = Object.fromEntries(all.filter(([, service]) => service.build === undefined));
  const ports = Object.values(services).map(({ environment }) => Number(environment.PORT));
  return {
    services,
    servers,
    databasesSql: compose.configs['create-databases'].content,
    ports: [...ports, 5432, 3306, 6379],
  };
}

/** Replaces `${NAME:-default}` and `${NAME:?sentence}` by values, and `$$` by `$`. */
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

/** The command of a health check as an argument list, for the kinds `CMD` and `CMD-SHELL` of Compose. */
export function healthCommand({ healthcheck: { test } }) {
  const [kind, ...words] = test;
  return kind === 'CMD-SHELL' ? ['sh', '-c', words[0]] : words;
}
