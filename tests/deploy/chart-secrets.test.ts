import { describe, expect, test } from '@jest/globals';
import { contextNames, topology } from '#contracts/topology.ts';
import { withClusterSecret } from './cluster-secret.ts';
import { render, valueSets } from './helm.ts';
import { find, type KubernetesObject } from './kubernetes-object.ts';

const demo = valueSets.demo ?? [];
const secretsOf = (objects: readonly KubernetesObject[]): Record<string, string> =>
  find(objects, 'Secret', 'rent-secrets').stringData;

describe('the Secret that the chart makes', () => {
  test('each first installation gets secrets of its own', async () => {
    const first = secretsOf(await render(demo));
    const second = secretsOf(await render(demo));
    expect(Object.keys(first)).toEqual(Object.keys(second));
    for (const [name, value] of Object.entries(first)) expect(second[name]).not.toBe(value);
  });

  test('a later installation keeps the secrets that the cluster has', async () => {
    const first = secretsOf(await render(demo));
    const later = await withClusterSecret(first, async (options) =>
      secretsOf(await render([...demo, ...options])),
    );
    expect(later).toEqual(first);
  });

  test('no Secret is made when there is an existing one', async () => {
    const objects = await render(valueSets.default ?? []);
    expect(objects.map(({ kind }) => kind)).not.toContain('Secret');
  });

  test('every service gets a further secret as a file, from the Secret that holds it', async () => {
    const setting = 'OTEL_EXPORTER_OTLP_HEADERS';
    const objects = await render([
      ...(valueSets.default ?? []),
      ...['--set', `secrets.further={${setting}},console.enabled=true`],
      ...['--set', `secrets.elsewhere.${setting}.name=collector`],
      ...['--set', `secrets.elsewhere.${setting}.key=headers`],
    ]);
    const pods = objects
      .filter(({ kind }) => kind === 'Deployment')
      .map(({ spec }) => spec.template.spec);
    expect(pods).toHaveLength(contextNames.length + 2);
    for (const { containers, volumes } of pods) {
      expect(containers[0].env).toContainEqual({
        name: `${setting}_FILE`,
        value: `/run/secrets/spacerent/${setting}`,
      });
      expect(volumes[0].projected.sources).toContainEqual({
        secret: { name: 'collector', items: [{ key: 'headers', path: setting }] },
      });
    }
  });

  test('a further secret that no Secret holds is refused', async () => {
    const options = ['--set', 'secrets.existing=,secrets.further={OTEL_EXPORTER_OTLP_HEADERS}'];
    await expect(render([...(valueSets.demo ?? []), ...options])).rejects.toThrow(
      'has no OTEL_EXPORTER_OTLP_HEADERS: name a Secret that holds it',
    );
  });

  test('the demo gives its databases the passwords that the addresses contain', async () => {
    const objects = await render(demo);
    const secrets = secretsOf(objects);
    for (const name of contextNames) {
      const url = new URL(String(secrets[`${name.toUpperCase()}_DATABASE_URL`]));
      expect(url.password).toBe(secrets[`${name.toUpperCase()}_DATABASE_PASSWORD`]);
      expect(find(objects, 'Service', url.hostname).spec.ports[0].port).toBe(Number(url.port));
      expect(url.hostname).toBe(
        topology[name].database === 'postgres' ? 'rent-postgres' : 'rent-mariadb',
      );
    }
  });
});
