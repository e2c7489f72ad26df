import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { withoutFiles } from '#platform/config/setting-files.ts';
import { logFile, withLog } from './logs.ts';
import { SupervisedProcess } from './supervised-process.ts';

export const serviceNames = ['router', ...contextNames] as const;
export type ServiceName = (typeof serviceNames)[number];

/** A service ends itself 18 s after its drain, whatever happens. */
const stopMs = 20_000;

export type ServicesOptions = {
  root: string;
  logs: string;
  /** The router's own address; subgraphs listen on 127.0.0.1. */
  routerHost: string;
  ports: Record<ServiceName, number>;
  /** Where the subgraphs are reached, when that is not where they listen: something stands between. */
  urls?: Record<ContextName, string>;
  /** What every service is given: the profile, the queue, the secret, how long it drains. */
  shared: Record<string, string> & { DRAIN_SECONDS: string };
  /** Each subgraph gets its own database's address alone. */
  databases: Record<ContextName, string>;
  onChange: (name: ServiceName, pid: number | undefined) => void;
  say: (line: string) => void;
};

export type Services = Record<ServiceName, SupervisedProcess>;

/** The five services, not yet started. */
export function defineServices(options: ServicesOptions): Services {
  const graceMs = Number(options.shared.DRAIN_SECONDS) * 1_000 + stopMs;
  const define = (name: ServiceName) =>
    new SupervisedProcess({
      name,
      spawn: () => spawnService(name, options),
      isReady: () => answersReady(probeUrl(name, options)),
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
      // Ctrl-C goes to the terminal's whole group; services are stopped by us alone, in order.
      detached: true,
      // The channel carries nothing. Its end tells a service that the supervisor is gone.
      stdio: ['ignore', descriptor, descriptor, 'ipc'],
      env: environmentOf(name, options),
    }),
  );
}

function environmentOf(name: ServiceName, options: ServicesOptions): NodeJS.ProcessEnv {
  const { ports, urls, shared, databases, routerHost } = options;
  const given: Record<string, string> = {
    ...shared,
    PORT: String(ports[name]),
    HOST: name === 'router' ? routerHost : '127.0.0.1',
  };
  for (const each of contextNames) {
    given[`${each.toUpperCase()}_URL`] = urls?.[each] ?? `http://127.0.0.1:${ports[each]}`;
  }
  const own = name === 'router' ? undefined : `${name.toUpperCase()}_DATABASE_URL`;
  const others = contextNames.map((each) => `${each.toUpperCase()}_DATABASE_URL`);
  // What is given here may have come from a file, and a service takes one of both alone.
  const env = withoutFiles([...Object.keys(given), ...others], process.env);
  for (const each of others) delete env[each];
  Object.assign(env, given, own && { [own]: databases[name as keyof typeof databases] });
  return env;
}

function probeUrl(name: ServiceName, { ports, routerHost }: ServicesOptions): string {
  return name === 'router' ? localUrl(routerHost, ports.router) : `http://127.0.0.1:${ports[name]}`;
}

/** How this machine itself reaches what listens on `host`. */
export function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0' || host === 'localhost') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
