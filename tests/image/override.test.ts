import { expect, test } from '@jest/globals';
import { requireOnlyAdded } from './override.mjs';
import type { ComposeFile, Service } from './stack.mjs';

const router = {
  image: 'spacerent',
  environment: { PORT: '4000' },
  healthcheck: { test: ['CMD', 'true'], interval: '10s', start_interval: '1s' },
};
const plain: ComposeFile = { services: { router }, configs: {} };

/** As Compose reads the file for podman with the override, and with `change` to the router. */
function overridden(change: Partial<Service>): ComposeFile {
  const { start_interval: _, ...healthcheck } = router.healthcheck;
  const changed: Service = {
    ...router,
    environment: { ...router.environment, NODE_EXTRA_CA_CERTS: '/run/certificate.pem' },
    extra_hosts: ['identity.test=192.0.2.1'],
    configs: [{ source: 'identity-certificate' }],
    healthcheck,
    ...change,
  };
  const configs = { 'identity-certificate': { file: '/certificate.pem' } };
  return { services: { router: changed }, configs };
}

test('the override of docker-compose.yml may add the identity provider and reset start_interval', () => {
  expect(requireOnlyAdded(overridden({}), plain, false)).toEqual(plain);
});

test('the override of docker-compose.yml may change nothing else', () => {
  const withImage = overridden({ image: 'another' });
  expect(() => requireOnlyAdded(withImage, plain, false)).toThrow('another');
});

test('the override of docker-compose.yml may not reset start_interval where the engine knows it', () => {
  expect(() => requireOnlyAdded(overridden({}), plain, true)).toThrow('start_interval');
});
