import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { contextNames } from '#contracts/topology.ts';
import { projectFile } from '#platform/config/project.ts';
import type { ServiceName } from '../../../supervisor/src/services.ts';
import type { DatabaseUrls } from '../invariants/check-invariants.ts';
import type { RunFolder } from '../run-folder.ts';
import { TcpProxy } from '../tcp-proxy.ts';
import { startIdentity } from './identity.ts';
import { reservePort } from './ports.ts';
import type { Profile } from './profile.ts';
import { type Servers, startServers } from './servers.ts';
import { defineProcess } from './service-definitions.ts';
import type { ServiceProcess } from './service-process.ts';

export type { Profile };

/** All processes and servers of spacerent, with a proxy on every connection between them. */
export interface ChaosSystem extends Servers {
  profile: Profile;
  /** The folder with data and logs. */
  home: string;
  routerUrl: string;
  /** Signs a bearer token for a user. */
  tokenFor(user: string, role: string): Promise<string>;
  processes: readonly ServiceProcess[];
  /** Proxies of HTTP connections between services: `httpProxies['book>payment']`. */
  httpProxies: Readonly<Record<string, TcpProxy>>;
  processesOf(service: ServiceName): readonly ServiceProcess[];
  proxies(): readonly TcpProxy[];
}

export function databaseUrls({
  postgres,
  viewsUrl,
}: {
  postgres: Pick<Servers['postgres'], 'urls' | 'adminUrl'>;
  viewsUrl: string;
}): DatabaseUrls {
  return { admin: postgres.adminUrl, contexts: postgres.urls, views: viewsUrl };
}

/**
 * Starts servers and services in a folder, two copies of each service where possible. `rootFor` returns
 * the folder of the version that a process runs, at each of its starts; the default is this version.
 */
export async function startSystem(
  profile: Profile,
  folder: RunFolder,
  rootFor: (process: string) => string = () => projectFile('.'),
): Promise<ChaosSystem> {
  const { path, log, onStop } = folder;
  const logs = join(path, 'logs');
  mkdirSync(logs, { recursive: true });
  const proxies: TcpProxy[] = [];
  onStop(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))));
  const openProxy = async (...ports: number[]) => {
    const proxy = await openProxyTo(ports);
    proxies.push(proxy);
    return proxy;
  };

  const servers = await startServers(profile, folder, logs);
  const ports = await reservePorts(servers.mariaDb !== undefined);
  const httpProxies: Record<string, TcpProxy> = {};
  for (const from of ['router', ...contextNames] as const) {
    for (const to of contextNames) {
      if (from !== to) httpProxies[`${from}>${to}`] = await openProxy(...ports[to]);
    }
  }
  const identity = await startIdentity(profile, onStop);
  const internalKey = randomBytes(32).toString('base64url');
  const credentials = { ...identity.settings, INTERNAL_TOKEN_KEYS: internalKey };
  const context = { profile, servers, logs, log, credentials, httpProxies, rootFor };

  const processes: ServiceProcess[] = [];
  for (const [service, servicePorts] of Object.entries(ports) as [ServiceName, number[]][]) {
    for (const [index, port] of servicePorts.entries()) {
      const name = servicePorts.length > 1 ? `${service}-${index + 1}` : service;
      const queueProxy = await openProxy(servers.redis?.port ?? servers.postgres.port);
      const databasePort = findDatabasePort(service, servers);
      const databaseProxy = databasePort === undefined ? undefined : await openProxy(databasePort);
      processes.push(defineProcess(context, { name, service, port, databaseProxy, queueProxy }));
    }
  }
  onStop(async () => void (await Promise.all(processes.map((process) => process.stop()))));
  await Promise.all(processes.map((process) => process.start()));

  return {
    ...servers,
    profile,
    home: path,
    routerUrl: `http://127.0.0.1:${ports.router[0]}`,
    tokenFor: identity.tokenFor,
    processes,
    httpProxies,
    processesOf: (service) => processes.filter((process) => process.service === service),
    proxies: () => proxies,
  };
}

/** Undefined when the service has no database, or a file. */
function findDatabasePort(
  service: ServiceName,
  { postgres, mariaDb }: Servers,
): number | undefined {
  if (service === 'router') return undefined;
  return service === 'mypage' ? mariaDb?.port : postgres.port;
}

function openProxyTo(ports: readonly number[]): Promise<TcpProxy> {
  const [first, ...others] = ports.map((port) => ({ host: '127.0.0.1', port }));
  return TcpProxy.open(first as { host: string; port: number }, ...others);
}

/** One port for each copy of a service. SQLite has one writer: a second copy of mypage needs MariaDB. */
async function reservePorts(hasMariaDb: boolean): Promise<Record<ServiceName, number[]>> {
  const copies = { router: 1, book: 2, payment: 2, space: 2, mypage: hasMariaDb ? 2 : 1 };
  const ports = {} as Record<ServiceName, number[]>;
  for (const [name, count] of Object.entries(copies)) {
    ports[name as ServiceName] = await Promise.all(Array.from({ length: count }, reservePort));
  }
  return ports;
}
