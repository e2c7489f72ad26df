// What the test adds to docker-compose.yml and takes away from it.
import { deepStrictEqual } from 'node:assert';
import { writeFileSync } from 'node:fs';

/** @typedef {import('./stack.mjs').ComposeFile} ComposeFile */

/**
 * The identity provider of the test, on this machine: its name for the containers, its address, and the file of
 * the certificate that they must trust.
 *
 * @typedef {{ host: string, address: string, certificateFile: string }} Identity
 */

const certificate = 'identity-certificate';
const certificateTarget = `/run/${certificate}.pem`;

/**
 * Writes a second compose file: services that check customers' tokens reach and trust the identity provider.
 * Compose refuses the key `start_interval` where the engine does not know it, so there it is reset.
 *
 * @param {string} file
 * @param {ComposeFile} plain
 * @param {Identity} identity
 * @param {boolean} takesStartInterval
 */
export function writeOverride(file, { services }, identity, takesStartInterval) {
  const { host, address, certificateFile } = identity;
  const lines = ['services:'];
  for (const [name, { environment, healthcheck }] of Object.entries(services)) {
    lines.push(`  ${name}:`);
    if (!takesStartInterval && healthcheck.start_interval) {
      lines.push('    healthcheck: { start_interval: !reset null }');
    }
    if (!environment.AUTH_JWKS_URL) continue;
    lines.push(
      `    extra_hosts: ["${host}:${address}"]`,
      `    environment: { NODE_EXTRA_CA_CERTS: ${certificateTarget} }`,
      `    configs: [{ source: ${certificate}, target: ${certificateTarget} }]`,
    );
  }
  lines.push('configs:', `  ${certificate}: { file: ${certificateFile} }`);
  writeFileSync(file, `${lines.join('\n')}\n`);
}

/**
 * Throws if more than that differs between docker-compose.yml alone and with the override. The result has the health
 * checks of the file.
 *
 * @param {ComposeFile} overridden
 * @param {ComposeFile} plain
 * @param {boolean} takesStartInterval
 */
export function requireOnlyAdded(overridden, plain, takesStartInterval) {
  const { [certificate]: _added, ...configs } = overridden.configs;
  const services = Object.fromEntries(
    Object.entries(overridden.services).map(([name, service]) => {
      const reset = takesStartInterval ? undefined : plain.services[name]?.healthcheck;
      return [name, withoutOverride(service, reset?.start_interval)];
    }),
  );
  const rest = { ...overridden, services, configs };
  deepStrictEqual(rest, plain);
  return rest;
}

/**
 * @param {import('./stack.mjs').Service} service
 * @param {string} [start_interval] what was reset
 */
function withoutOverride({ healthcheck, ...service }, start_interval) {
  const restored = start_interval ? { ...healthcheck, start_interval } : healthcheck;
  const { NODE_EXTRA_CA_CERTS, ...environment } = service.environment;
  if (!NODE_EXTRA_CA_CERTS) return { ...service, healthcheck: restored };
  const { extra_hosts: _hosts, configs: _configs, ...rest } = service;
  return { ...rest, environment, healthcheck: restored };
}
