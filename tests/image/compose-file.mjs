import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * docker-compose.yml as it is without any variable set: the services that run our image, the
 * servers that they need, and the SQL that PostgreSQL runs at its first start.
 */
export function readComposeFile(file) {
  const compose = withDefaults(parse(readFileSync(file, 'utf8'), { merge: true }));
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

/** Puts the defaults in the place of `${VARIABLE:-default}`, and `$` in that of `$$`. */
function withDefaults(value) {
  if (typeof value === 'string') {
    return value.replace(/\$(?:\$|\{\w+:-([^}]*)\})/g, (_match, fallback) => fallback ?? '$');
  }
  if (Array.isArray(value)) return value.map(withDefaults);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withDefaults(each)]));
}

/** A health check's command as an argument list: `CMD` and `CMD-SHELL` are Compose's own words. */
export function healthCommand({ healthcheck: { test } }) {
  const [kind, ...words] = test;
  return kind === 'CMD-SHELL' ? ['sh', '-c', words[0]] : words;
}
