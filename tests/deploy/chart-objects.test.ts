import { beforeAll, describe, expect, test } from '@jest/globals';
import { lint, refusal, render, valueSets } from './helm.ts';
import { modelProblems } from './kubernetes-models.ts';
import { find, type KubernetesObject, ofKind } from './kubernetes-object.ts';

const sets = Object.entries(valueSets);

describe.each(sets)('the chart with the %s values', (_name, options) => {
  let objects: KubernetesObject[] = [];
  beforeAll(async () => {
    objects = await render(options);
  });

  test('the chart passes the strict lint and renders objects that Kubernetes 1.34 and later know', async () => {
    expect(await lint(options)).toBeUndefined();
    expect(objects.length).toBeGreaterThan(10);
    expect(objects.flatMap(modelProblems)).toEqual([]);
  });

  test('every object has a name of its own within its kind', () => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  test('every container is without root, privileges and a writable root file system', () => {
    const workloads = ofKind(objects, 'Deployment', 'StatefulSet');
    for (const { spec } of workloads) {
      const pod = spec.template.spec;
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(pod.automountServiceAccountToken).toBe(false);
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.requests).toHaveProperty('memory');
      }
    }
  });

  test('every selector of a Service, budget or policy chooses Pods of the chart', () => {
    const pods = ofKind(objects, 'Deployment', 'StatefulSet').map(
      ({ spec }) => spec.template.metadata.labels,
    );
    const selectors = [
      ...ofKind(objects, 'Service').map(({ spec }) => spec.selector),
      ...ofKind(objects, 'PodDisruptionBudget').map(({ spec }) => spec.selector.matchLabels),
      ...ofKind(objects, 'NetworkPolicy').map(({ spec }) => spec.podSelector.matchLabels),
    ];
    for (const selector of selectors) {
      expect(pods).toContainEqual(expect.objectContaining(selector));
    }
  });
});

describe('the strict validation', () => {
  test('the validation finds unknown, missing and wrong fields', async () => {
    const service = find(await render(valueSets.minimal ?? []), 'Service', 'rent-book');
    expect(modelProblems({ ...service, spec: { ...service.spec, port: 1 } })).toEqual([
      'Service rent-book.spec has a field port, which Kubernetes does not know.',
    ]);
    expect(modelProblems({ ...service, spec: { ports: [{ name: 5 }] } })).toEqual([
      'Service rent-book.spec.ports[0] has no port.',
      'Service rent-book.spec.ports[0].name is not of the type string.',
    ]);
    expect(modelProblems({ ...service, apiVersion: 'v3' })).toEqual([
      'Service rent-book: Kubernetes has no Service in v3.',
    ]);
  });
});

describe('the values of the chart', () => {
  test.each([
    ['router.port=x', "at '/router/port': got string, want integer"],
    ['replica=3', "additional properties 'replica' not allowed"],
    ['queue.engine=kafka', "at '/queue/engine': value must be one of 'redis', 'postgres'"],
    [
      'queue.nodePorts.from=11000',
      "at '/queue/nodePorts': properties 'to' required, if 'from' exists",
    ],
    ['settings.DRAIN_SECONDS=999', "at '/settings/DRAIN_SECONDS': maximum: got 999, want 300"],
    ['router.settings.SANDBOX=true', 'got boolean, want integer or string'],
    ['router.settings.AUTH_JWKS_URL=http://id.example', "does not match pattern '^$|^https://'"],
    ['contexts.points.port=4005', "missing properties 'calls', 'database'"],
    ['defaults.disruptionBudget.maxUnavailable=0', 'minimum: got 0, want 1'],
    ['router.settings.AUTH_ISSUER=', 'router.settings.AUTH_ISSUER is empty: the router needs it'],
    ['contexts.book.calls={nobody}', 'contexts.book.calls names nobody, which is not among the'],
    ['console.replicas=2', "additional properties 'replicas' not allowed"],
    [
      'console.enabled=true,console.settings.PORT=80',
      'console contain PORT, which the chart itself',
    ],
    ['settings.PORT=80', 'contain PORT, which the chart itself sets: remove it.'],
    ['settings.REDIS_URL=redis://redis', 'contain REDIS_URL, which is a secret: put it into a'],
    [
      'settings.OTEL_EXPORTER_OTLP_HEADERS=authorization=x',
      'list OTEL_EXPORTER_OTLP_HEADERS in secrets.further unless the chart knows it.',
    ],
    ['secrets.further={LOG_LEVEL}', 'secrets.further contains LOG_LEVEL, which is no secret'],
    ['settings.METRICS_TOKEN=x', 'contain METRICS_TOKEN, which is a secret: put it into a Secret'],
    ['contexts.book.autoscaling.min=9', 'autoscaling of book has a min of 9, which is above its'],
    ['ingress.enabled=true', 'ingress.host is empty: an Ingress needs the host name'],
    ['httpRoute.enabled=true', 'httpRoute.parentRefs is empty: an HTTPRoute needs the Gateway'],
    ['secrets.existing=', 'book has no REDIS_URL: name a Secret that holds it in secrets.existing'],
    [
      'demo.enabled=true,contexts.book.database.engine=mariadb',
      'demo.enabled brings a MariaDB with one database: only one context can have',
    ],
    ['demo.enabled=true', 'demo.enabled makes its own Secret: leave secrets.existing empty.'],
  ])('the chart refuses %s with a sentence', async (value, sentence) => {
    expect(await refusal('--set', value)).toContain(sentence);
  });
});
