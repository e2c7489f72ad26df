import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The kinds that the chart uses, without which Helm does not build its objects. */
const KINDS: Record<string, string[]> = {
  v1: ['Secret', 'ConfigMap', 'Service'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'networking.k8s.io/v1': ['NetworkPolicy'],
};

/** What Helm reads of a cluster to look a Secret up: its version, its kinds, and the Secret. */
function responses(secret: object): Record<string, object> {
  const groups = Object.keys(KINDS).filter((groupVersion) => groupVersion.includes('/'));
  const pathOf = (groupVersion: string) =>
    groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
  const lists = Object.entries(KINDS).map(([groupVersion, kinds]) => [
    pathOf(groupVersion),
    {
      kind: 'APIResourceList',
      groupVersion,
      resources: kinds.map((kind) => ({
        name: `${kind.toLowerCase().replace(/y$/, 'ie')}s`,
        namespaced: true,
        kind,
        verbs: ['get'],
      })),
    },
  ]);
  return {
    '/version': { major: '1', minor: '35', gitVersion: 'v1.35.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((groupVersion) => {
        const [name, version] = groupVersion.split('/');
        return { name, versions: [{ groupVersion, version }] };
      }),
    },
    '/api/v1/namespaces/rent/secrets/rent-secrets': secret,
    ...Object.fromEntries(lists),
  };
}

/**
 * Calls `use` with helm's options for an API server that has nothing but the Secret `rent-secrets` with the given
 * values.
 */
export async function withClusterSecret<Result>(
  values: Record<string, string>,
  use: (options: string[]) => Promise<Result>,
): Promise<Result> {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, btoa(value)]));
  const metadata = {
    name: 'rent-secrets',
    namespace: 'rent',
    // Helm refuses to touch what another release, or none, has made.
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: {
      'meta.helm.sh/release-name': 'rent',
      'meta.helm.sh/release-namespace': 'rent',
    },
  };
  const bodies = responses({ apiVersion: 'v1', kind: 'Secret', metadata, data });
  const server = createServer((request, response) => {
    const body = bodies[new URL(request.url ?? '', 'http://server').pathname];
    response.writeHead(body ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { kind: 'Status', status: 'Failure', code: 404 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'spacerent-helm-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const { port } = server.address() as AddressInfo;
  try {
    await writeFile(kubeconfig, kubeconfigOf(`http://127.0.0.1:${port}`));
    return await use([
      '--dry-run=server',
      '--disable-openapi-validation',
      '--kubeconfig',
      kubeconfig,
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

const kubeconfigOf = (server: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    users: [{ name: 'test', user: {} }],
    'current-context': 'test',
  });
