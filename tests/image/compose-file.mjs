import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * docker-compose.yml as it is with the given variables: the services that run our image, the
 * servers that they need, and the SQL that PostgreSQL runs at its first start. Throws, as Compose
 * does, when a variable that it needs is not given.
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

/** Puts values in the place of `${NAME:-default}` and `${NAME:?sentence}`, and `$` in that of `$$`. */
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

/** A health check's command as an argument list: `CMD` and `CMD-SHELL` are Compose's own words. */
export function healthCommand({ healthcheck: { test } }) {
  const [kind, ...words] = test;
  return kind === 'CMD-SHELL' ? ['sh', '-c', words[0]] : words;
}
