import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { withoutFiles } from '#platform/config/setting-files.ts';
import { logFile, withLog } from './logs.ts';
import { SupervisedProcess } from './supervised-process.ts';

export const serviceNames = ['router', ...contextNames] as const;
export type ServiceName = (typeof serviceNames)[number];

/** A service exits at most 18 s after its drain. */
const STOP_TIMEOUT_MS = 20_000;
const READY_TIMEOUT_MS = 2_000;
/** As the Helm chart's probe: a process is busy more often than it hangs. */
const LIVENESS = { periodMs: 10_000, timeoutMs: 5_000, failures: 6 };

export type ServicesOptions = {
  root: string;
  logs: string;
  /** The router's own address; subgraphs listen on 127.0.0.1. */
  routerHost: string;
  ports: Record<ServiceName, number>;
  /** The addresses of the subgraphs if they are behind proxies. */
  urls?: Record<ContextName, string>;
  /** Variables of every service: the profile, the queue, the secret, the time of the drain. */
  shared: Record<string, string> & { DRAIN_SECONDS: string };
  /** The address of each subgraph's database; no other subgraph gets it. */
  databases: Record<ContextName, string>;
  /** Whether a service that hangs is killed and started again, by default not. */
  killsHanging?: boolean;
  onChange: (name: ServiceName, pid: number | undefined) => void;
  say: (line: string) => void;
};

export type Services = Record<ServiceName, SupervisedProcess>;

/** Defines the five services without starting them. */
export function defineServices(options: ServicesOptions): Services {
  const graceMs = Number(options.shared.DRAIN_SECONDS) * 1_000 + STOP_TIMEOUT_MS;
  const define = (name: ServiceName) =>
    new SupervisedProcess({
      name,
      spawn: () => spawnService(name, options),
      isReady: () => isHealthy(`${probeUrl(name, options)}/health/ready`, READY_TIMEOUT_MS),
      ...(options.killsHanging && { liveness: livenessOf(probeUrl(name, options)) }),
      stop: { signal: 'SIGTERM', graceMs, thenSignal: 'SIGKILL' },
      onChange: (pid) => options.onChange(name, pid),
      say: options.say,
    });
  return Object.fromEntries(serviceNames.map((name) => [name, define(name)])) as Services;
}

/** The router first, so that no request meets a missing subgraph. */
export async function stopServices({ router, ...subgraphs }: Services): Promise<void> {
  await router.stop();
  await Promise.all(Object.values(subgraphs).map((service) => service.stop()));
}

function spawnService(name: ServiceName, options: ServicesOptions): ChildProcess {
  const folder = name === 'router' ? 'dist/router' : `dist/subgraphs/${name}`;
  return withLog(logFile(options.logs, name), (descriptor) =>
    spawn(process.execPath, [join(options.root, folder, 'src/main.js')], {
      cwd: options.root,
      // Ctrl-C signals the whole process group, but services must stop in order.
      detached: true,
      // The channel carries no messages. Its end makes a service stop when the supervisor dies.
      stdio: ['ignore', descriptor, descriptor, 'ipc'],
      env: serviceEnvironment(name, options),
    }),
  );
}

function serviceEnvironment(name: ServiceName, options: ServicesOptions): NodeJS.ProcessEnv {
  const { ports, urls, shared, databases, routerHost } = options;
  const variables: Record<string, string> = {
    ...shared,
    PORT: String(ports[name]),
    HOST: name === 'router' ? routerHost : '127.0.0.1',
  };
  for (const each of contextNames) {
    variables[`${each.toUpperCase()}_URL`] = urls?.[each] ?? `http://127.0.0.1:${ports[each]}`;
  }
  const own = name === 'router' ? undefined : `${name.toUpperCase()}_DATABASE_URL`;
  const others = contextNames.map((each) => `${each.toUpperCase()}_DATABASE_URL`);
  // A value may have come from a file, and a service refuses a variable and its file together.
  const env = withoutFiles([...Object.keys(variables), ...others], process.env);
  for (const each of others) delete env[each];
  Object.assign(env, variables, own && { [own]: databases[name as keyof typeof databases] });
  return env;
}

function probeUrl(name: ServiceName, { ports, routerHost }: ServicesOptions): string {
  return name === 'router' ? localUrl(routerHost, ports.router) : `http://127.0.0.1:${ports[name]}`;
}

/** The address under which this machine reaches a server that listens on `host`. */
export function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === 'localhost') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function livenessOf(url: string) {
  const { periodMs, failures, timeoutMs } = LIVENESS;
  return { periodMs, failures, isAlive: () => isHealthy(`${url}/health/live`, timeoutMs) };
}

async function isHealthy(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
