import { beforeAll, describe, expect, test } from '@jest/globals';
import { contextNames, findConsumers, type Topology, topology } from '#contracts/topology.ts';
import { profileShape } from '#platform/config/settings.ts';
import { routerConfig, routerShapes } from '../../router/src/config.ts';
import { consoleConfig, consoleShapes } from '../../router/src/console/settings.ts';
import { lint, render, valueSets } from './helm.ts';
import { modelProblems } from './kubernetes-models.ts';
import { find, type KubernetesObject, ofKind } from './kubernetes-object.ts';

const services = ['router', ...contextNames];
const addresses = contextNames.map((name) => `${name.toUpperCase()}_URL`);
const SECRET = 'Xk9iaDHmQPIC941Dp7rhcgKdDt5rWLVN';

/** Values of the secret settings that every service accepts. */
const secretValues: Record<string, string> = {
  INTERNAL_TOKEN_KEYS: SECRET,
  METRICS_TOKEN: SECRET,
  REDIS_URL: `redis://:${SECRET}@redis:6379`,
  QUEUE_DATABASE_URL: `postgresql://queue:${SECRET}@postgres:5432/queue`,
  ...Object.fromEntries(
    Object.entries(topology).map(([name, { database }]) => [
      `${name.toUpperCase()}_DATABASE_URL`,
      `${database === 'postgres' ? 'postgresql' : 'mysql'}://${name}:${SECRET}@server/${name}`,
    ]),
  ),
};

const containerOf = (objects: readonly KubernetesObject[], service: string) =>
  find(objects, 'Deployment', `rent-${service}`).spec.template.spec.containers[0];

/** The environment of a service's container, with the files of its Secrets read. */
function environmentOf(objects: readonly KubernetesObject[], service: string) {
  const pod = find(objects, 'Deployment', `rent-${service}`).spec.template.spec;
  const { env, envFrom, volumeMounts } = pod.containers[0];
  const settings = find(objects, 'ConfigMap', envFrom[0].configMapRef.name).data;
  const files: Record<string, string> = {};
  for (const { secret } of pod.volumes[0].projected.sources) {
    const [{ key, path }] = secret.items;
    files[`${volumeMounts[0].mountPath}/${path}`] = key;
  }
  const secrets = (env as { name: string; value: string }[]).map(({ name, value }) => {
    const setting = name.replace(/_FILE$/, '');
    if (files[value] === undefined) throw new Error(`${service} mounts no file ${value}`);
    return [setting, secretValues[setting]];
  });
  return { ...settings, ...Object.fromEntries(secrets) } as Record<string, string>;
}

/** How a service reads its settings, and their names. */
async function settingsOf(service: string) {
  if (service === 'router') return { configure: routerConfig, shape: routerShapes.servers };
  const config = await import(`../../subgraphs/${service}/src/config.ts`);
  return {
    configure: config[`${service}Config`],
    shape: { ...config[`${service}Shape`], ...profileShape },
  };
}

/** The contexts to which a context sends requests: the consumers of its events; all addresses without events. */
async function calledBy(context: string): Promise<string[]> {
  const types = Object.keys((topology as Topology)[context]?.publishes ?? {});
  const consumers = new Set(types.flatMap((type) => findConsumers(type)));
  const { shape } = await settingsOf(context);
  const called = contextNames.filter((name) =>
    types.length > 0 ? consumers.has(name) : `${name.toUpperCase()}_URL` in shape,
  );
  return called.filter((name) => name !== context).sort();
}

/** The components of the Pods that a rule's peers choose. */
const components = (peers: KubernetesObject[string] = []): string[] =>
  peers
    .flatMap((peer: KubernetesObject[string]) => peer.podSelector?.matchLabels ?? [])
    .map((labels: Record<string, string>) => labels['app.kubernetes.io/component'])
    .sort();

describe.each(Object.entries(valueSets))('the chart with the %s values', (_name, options) => {
  let objects: KubernetesObject[] = [];
  beforeAll(async () => {
    objects = await render(options);
  });

  test('the chart runs the router and each context of the topology, and nothing else', () => {
    const deployments = ofKind(objects, 'Deployment').map(({ metadata }) => metadata.name);
    expect(deployments.sort()).toEqual(services.map((name) => `rent-${name}`).sort());
    for (const name of contextNames) {
      const { port } = topology[name];
      expect(containerOf(objects, name)).toMatchObject({
        command: ['node', `dist/subgraphs/${name}/src/main.js`],
        ports: [{ name: 'http', containerPort: port }],
      });
      expect(find(objects, 'Service', `rent-${name}`).spec.ports).toMatchObject([{ port }]);
      expect(environmentOf(objects, 'router')[`${name.toUpperCase()}_URL`]).toBe(
        `http://rent-${name}:${port}`,
      );
    }
  });

  test.each(services)('the settings of the chart for %s are those that it reads', async (name) => {
    const environment = environmentOf(objects, name);
    const { configure, shape } = await settingsOf(name);
    expect(() => configure(environment)).not.toThrow();
    const unread = Object.keys(environment).filter((setting) => !(setting in shape));
    // Each context gets the addresses of all, also of those that it does not call.
    expect(unread.filter((setting) => !addresses.includes(setting))).toEqual([]);
  });

  test('a Pod gets the time that its service needs to stop', () => {
    for (const name of services) {
      const { terminationGracePeriodSeconds } = find(objects, 'Deployment', `rent-${name}`).spec
        .template.spec;
      const { DRAIN_SECONDS } = environmentOf(objects, name);
      expect(terminationGracePeriodSeconds).toBe(Number(DRAIN_SECONDS) + 20);
    }
  });

  test('only the readiness probe asks for the database', () => {
    for (const name of services) {
      const { startupProbe, readinessProbe, livenessProbe } = containerOf(objects, name);
      expect(startupProbe.httpGet.path).toBe('/health/live');
      expect(livenessProbe.httpGet.path).toBe('/health/live');
      expect(readinessProbe.httpGet.path).toBe('/health/ready');
    }
  });
});

describe('the network policies', () => {
  test('a context is reached by the router and by the contexts that call it alone', async () => {
    const objects = await render(valueSets.default ?? []);
    const calls = new Map<string, string[]>();
    for (const name of contextNames) calls.set(name, await calledBy(name));
    for (const name of contextNames) {
      const { ingress, egress } = find(objects, 'NetworkPolicy', `rent-${name}`).spec;
      const callers = contextNames.filter((other) => calls.get(other)?.includes(name));
      expect(ingress).toHaveLength(1);
      expect(components(ingress[0].from)).toEqual([...callers, 'router'].sort());
      const called = egress.flatMap((rule: KubernetesObject[string]) => components(rule.to));
      expect(called.sort()).toEqual(calls.get(name));
    }
    expect(find(objects, 'NetworkPolicy', 'rent-router').spec.ingress).toEqual([
      { ports: [{ port: 'http', protocol: 'TCP' }] },
    ]);
  });

  test('every service reaches the nodes of a Redis Cluster that have other ports', async () => {
    const objects = await render([
      ...(valueSets.default ?? []),
      ...['--set', 'queue.nodePorts.from=11000,queue.nodePorts.to=13047'],
    ]);
    for (const name of services) {
      const { egress } = find(objects, 'NetworkPolicy', `rent-${name}`).spec;
      expect(egress).toContainEqual({
        ports: [
          { port: 6379, protocol: 'TCP' },
          { port: 11_000, endPort: 13_047, protocol: 'TCP' },
        ],
      });
    }
  });
});

describe('the horizontal scaling', () => {
  test('a context scales by the age of the events that it has not processed itself', async () => {
    const objects = await render(valueSets['high availability'] ?? []);
    for (const name of contextNames) {
      const { metrics } = find(objects, 'HorizontalPodAutoscaler', `rent-${name}`).spec;
      expect(metrics[1].external).toMatchObject({
        metric: {
          name: 'spacerent_queue_oldest_event_seconds',
          selector: { matchLabels: { consumer: name } },
        },
      });
    }
  });
});

describe('the queue console', () => {
  const enabled = (...more: string[]) => [
    ...(valueSets['high availability'] ?? []),
    ...['--set', 'console.enabled=true'],
    ...more,
  ];

  test('the console runs as one Pod, with the settings that it reads and no others', async () => {
    const objects = await render(enabled());
    expect(await lint(enabled())).toBeUndefined();
    expect(objects.flatMap(modelProblems)).toEqual([]);
    expect(find(objects, 'Deployment', 'rent-console').spec.replicas).toBe(1);
    expect(containerOf(objects, 'console')).toMatchObject({
      command: ['node', 'dist/router/src/console/main.js'],
      ports: [{ containerPort: 4010 }],
    });
    const environment = environmentOf(objects, 'console');
    expect(consoleConfig(environment)).toMatchObject({
      AUTH_ISSUER: environmentOf(objects, 'router').AUTH_ISSUER,
      REDIS_URL: secretValues.REDIS_URL,
    });
    expect(Object.keys(environment).filter((name) => !(name in consoleShapes.servers))).toEqual([]);
  });

  test('the console is reached by whom its values name alone, and never from outside', async () => {
    const peer = { namespaceSelector: { matchLabels: { team: 'operations' } } };
    const policyOf = (objects: readonly KubernetesObject[]) =>
      find(objects, 'NetworkPolicy', 'rent-console').spec;
    const closed = await render(enabled('--set-json', 'networkPolicy.metricsFrom=[]'));
    expect(policyOf(closed)).toMatchObject({ policyTypes: ['Ingress', 'Egress'], ingress: null });
    const open = await render(
      enabled(
        ...['--set-json', 'networkPolicy.metricsFrom=[]'],
        ...['--set-json', `console.from=${JSON.stringify([peer])}`],
      ),
    );
    expect(policyOf(open).ingress).toEqual([
      { ports: [{ port: 'http', protocol: 'TCP' }], from: [peer] },
    ]);
    for (const route of ofKind(open, 'Ingress', 'HTTPRoute')) {
      expect(JSON.stringify(route)).not.toContain('console');
    }
  });

  test('the console is not there unless it is enabled', async () => {
    const objects = await render(valueSets.default ?? []);
    expect(JSON.stringify(objects)).not.toContain('rent-console');
  });
});

describe('one value', () => {
  test('one entry among the values adds a fifth context everywhere', async () => {
    const entry = { port: 4005, calls: ['book'], database: { engine: 'postgres', port: 5432 } };
    const objects = await render([
      ...(valueSets.default ?? []),
      ...['--set-json', `contexts.points=${JSON.stringify(entry)}`],
    ]);
    for (const kind of [
      ...['Deployment', 'Service', 'ConfigMap', 'HorizontalPodAutoscaler'],
      ...['PodDisruptionBudget', 'NetworkPolicy'],
    ]) {
      expect(find(objects, kind, 'rent-points')).toBeDefined();
    }
    expect(find(objects, 'ConfigMap', 'rent-router').data).toMatchObject({
      POINTS_URL: 'http://rent-points:4005',
    });
    const { ingress } = find(objects, 'NetworkPolicy', 'rent-book').spec;
    expect(components(ingress[0].from)).toContain('points');
  });

  test('a tag of its own upgrades one service', async () => {
    const objects = await render([
      ...(valueSets.default ?? []),
      ...['--set', 'image.tag=1.0.0,contexts.mypage.tag=1.1.0'],
    ]);
    expect(containerOf(objects, 'mypage').image).toBe('spacerent:1.1.0');
    expect(containerOf(objects, 'book').image).toBe('spacerent:1.0.0');
  });

  test('a setting that is a large number is passed as it is written', async () => {
    const objects = await render([
      ...(valueSets.default ?? []),
      ...['--set', 'router.settings.MAX_OPERATION_COST=1000000'],
    ]);
    expect(environmentOf(objects, 'router').MAX_OPERATION_COST).toBe('1000000');
  });
});
