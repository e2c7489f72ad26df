import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { startIdentityProvider } from '../support/identity-provider.mjs';
import { run } from './processes.mjs';

const host = 'identity.test';

/**
 * An identity provider that containers reach at a name of its own. It speaks TLS, which the router demands of a
 * provider that is not on loopback.
 *
 * @param {string} folder
 */
export async function startTlsIdentityProvider(folder) {
  const certificateFile = join(folder, 'identity.pem');
  const keyFile = join(folder, 'identity.key');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '1', '-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`],
    ...['-keyout', keyFile, '-out', certificateFile],
  ]);
  const tls = { host, cert: readFileSync(certificateFile), key: readFileSync(keyFile) };
  const provider = await startIdentityProvider(tls);
  return { provider, identity: { host, address: ownAddress(), certificateFile } };
}

/** An address of this machine at which containers reach it. podman 4 does not know Docker's `host-gateway`. */
function ownAddress() {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (own) return own.address;
  throw new Error('Containers cannot reach this machine: it has no IPv4 address but loopback.');
}
