import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { contextNames } from '#contracts/topology.ts';
import { projectFile } from '#platform/config/project.ts';
import { defineServices, type ServiceName } from '../../../supervisor/src/services.ts';
import type * as IdentityProvider from '../../support/identity-provider.mjs';
import { TcpProxy } from '../tcp-proxy.ts';
import { type MariaDb, startMariaDb } from './mariadb.ts';
import { takePort } from './ports.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { type Redis, type Say, startRedis } from './redis.ts';
import { ServiceProcess } from './service-process.ts';

export type Profile = 'embedded' | 'servers';
type Subgraph = (typeof contextNames)[number];

/** Short, so that what takes minutes in production happens within a run. */
export const HOLD_SECONDS = 6;
const SETTINGS = {
  HOLD_SECONDS: String(HOLD_SECONDS),
  PAYMENT_TIMEOUT_MS: '1000',
  PROVIDER_TIMEOUT_MS: '1500',
  SUBGRAPH_TIMEOUT_MS: '5000',
  DRAIN_SECONDS: '1',
  // While payment is away a customer of the load has more unpaid holds than people have.
  MAX_UNPAID_HOLDS: '20',
  // All requests come from one address, in any number.
  MUTATIONS_PER_MINUTE_PER_USER: '0',
  MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
  QUERY_COST_PER_MINUTE_PER_USER: '0',
  QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
};

/** A whole spacerent with proxies on every line, and every part of it within reach. */
export interface ChaosSystem {
  profile: Profile;
  home: string;
  routerUrl: string;
  /** A bearer token for a user, of whoever signs them on this profile. */
  tokenOf(user: string, role: string): Promise<string>;
  processes: readonly ServiceProcess[];
  postgres: Postgres;
  redis: Redis | undefined;
  mariaDb: MariaDb | undefined;
  /** The real address of mypage's database. */
  viewsUrl: string;
  /** Between a context and another one, over HTTP: `lines['book>payment']`. */
  lines: Readonly<Record<string, TcpProxy>>;
  every(service: ServiceName): readonly ServiceProcess[];
  proxies(): readonly TcpProxy[];
}

/** Who signs tokens; in the servers profile a provider that the router asks for its keys. */
async function startIdentity(
  profile: Profile,
  onStop: (step: () => Promise<void>) => void,
): Promise<{ settings: Record<string, string>; tokenOf: ChaosSystem['tokenOf'] }> {
  // No part of the build: it is run as it is.
  const { signEmbeddedToken, signToken, startIdentityProvider }: typeof IdentityProvider =
    await import(pathToFileURL(projectFile('tests/support/identity-provider.mjs')).href);
  if (profile === 'embedded') {
    const secret = randomBytes(32).toString('base64url');
    return {
      settings: { AUTH_SECRET: secret },
      tokenOf: (user, role) => signEmbeddedToken(secret, user, [role], '12h'),
    };
  }
  const { settings, credentials, stop } = await startIdentityProvider();
  onStop(async () => void (await stop()));
  return { settings, tokenOf: (user, role) => signToken(credentials, user, [role], '12h') };
}

/**
 * Starts servers and services in `home`; `say` is told what the supervision says. `rootOf` names the
 * version that a process runs, asked at each of its starts; without it all run this one.
 */
export async function startSystem(
  profile: Profile,
  home: string,
  say: Say,
  onStop: (step: () => Promise<void>) => void,
  rootOf: (process: string) => string = () => projectFile('.'),
): Promise<ChaosSystem> {
  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true });
  const open: TcpProxy[] = [];
  onStop(async () => void (await Promise.all(open.map((proxy) => proxy.close()))));
  const proxyTo = async (...ports: number[]) => {
    const [first, ...others] = ports.map((port) => ({ host: '127.0.0.1', port }));
    const proxy = await TcpProxy.open(first as { host: string; port: number }, ...others);
    open.push(proxy);
    return proxy;
  };

  const postgres = await startPostgres(home, logs, say);
  onStop(() => postgres.stop());
  let redis: Redis | undefined;
  let mariaDb: MariaDb | undefined;
  if (profile === 'servers') {
    redis = await startRedis(home, logs, say);
    onStop(redis.stop);
    mariaDb = await startMariaDb(home, logs, say);
    onStop(mariaDb.stop);
  }
  const viewsUrl = mariaDb?.url ?? pathToFileURL(join(home, 'mypage.sqlite')).href;
  const queueUrl = redis?.url ?? postgres.urls.queue;
  const queuePort = redis?.port ?? postgres.port;

  // SQLite has one writer: two copies of mypage are for MariaDB.
  const copies = { router: 1, book: 2, payment: 2, space: 2, mypage: mariaDb ? 2 : 1 };
  const ports = {} as Record<ServiceName, number[]>;
  for (const [name, count] of Object.entries(copies)) {
    ports[name as ServiceName] = await Promise.all(Array.from({ length: count }, takePort));
  }
  const lines: Record<string, TcpProxy> = {};
  for (const from of ['router', ...contextNames] as const) {
    for (const to of contextNames) {
      if (from !== to) lines[`${from}>${to}`] = await proxyTo(...ports[to]);
    }
  }

  const identity = await startIdentity(profile, onStop);
  const internalKey = randomBytes(32).toString('base64url');
  const processes: ServiceProcess[] = [];
  for (const [service, [...servicePorts]] of Object.entries(ports) as [ServiceName, number[]][]) {
    for (const [index, port] of servicePorts.entries()) {
      const name = servicePorts.length > 1 ? `${service}-${index + 1}` : service;
      const isSubgraph = service !== 'router';
      const queue = await proxyTo(queuePort);
      const database = await databaseProxy(service);
      const databases = { book: '', payment: '', space: '', mypage: '' };
      if (isSubgraph) {
        const real = service === 'mypage' ? viewsUrl : postgres.urls[service];
        databases[service] = database ? database.through(real) : real;
      }
      const urlOf = (to: Subgraph) =>
        (lines[`${service}>${to}`]?.through('http://proxy') ?? 'http://itself').replace(/\/$/, '');
      const folder = join(logs, name);
      mkdirSync(folder, { recursive: true });
      const define = (onChange: (pid: number | undefined) => void) =>
        defineServices({
          root: rootOf(name),
          logs: folder,
          routerHost: '127.0.0.1',
          ports: { router: port, book: port, payment: port, space: port, mypage: port },
          urls: {
            book: urlOf('book'),
            payment: urlOf('payment'),
            space: urlOf('space'),
            mypage: urlOf('mypage'),
          },
          shared: {
            ...SETTINGS,
            ...identity.settings,
            INTERNAL_TOKEN_KEYS: internalKey,
            SPACERENT_PROFILE: profile,
            [redis ? 'REDIS_URL' : 'QUEUE_DATABASE_URL']: queue.through(queueUrl),
          },
          databases,
          onChange: (changed, pid) => {
            if (changed === service) onChange(pid);
          },
          say: (line) => say(`${name}: ${line}`),
        });
      const url = `http://127.0.0.1:${port}`;
      processes.push(new ServiceProcess({ name, service, url, database, queue, define }));
    }
  }
  onStop(async () => void (await Promise.all(processes.map((each) => each.stop()))));
  await Promise.all(processes.map((each) => each.start()));

  return {
    profile,
    home,
    routerUrl: `http://127.0.0.1:${ports.router[0]}`,
    tokenOf: identity.tokenOf,
    processes,
    postgres,
    redis,
    mariaDb,
    viewsUrl,
    lines,
    every: (service) => processes.filter((each) => each.service === service),
    proxies: () => open,
  };

  async function databaseProxy(service: ServiceName): Promise<TcpProxy | undefined> {
    if (service === 'router') return undefined;
    if (service !== 'mypage') return proxyTo(postgres.port);
    return mariaDb && proxyTo(mariaDb.port);
  }
}
