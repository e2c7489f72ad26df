import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '#platform/config/project.ts';
import { type ServiceName, serviceNames } from '../../../supervisor/src/services.ts';
import type { RunFolder } from '../run-folder.ts';
import { startIdentity } from '../system/identity.ts';
import { reservePort } from '../system/ports.ts';
import { requirePackages } from '../system/programs.ts';
import { type Servers, startServers } from '../system/servers.ts';
import { type Haproxy, startHaproxy } from './haproxy.ts';
import type { HealthChecks } from './haproxy-config.ts';
import { byContext, Replica } from './replica.ts';

/** The load sends all requests from one address: what limits an address or a user must not limit it. */
const UNLIMITED = {
  MUTATIONS_PER_MINUTE_PER_USER: '0',
  MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
  QUERY_COST_PER_MINUTE_PER_USER: '0',
  QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
  WEBSOCKETS_PER_ADDRESS: '20000',
};

/** Long: on a machine that others use too, what is slow is not counted as failed. */
const PATIENT = { SUBGRAPH_TIMEOUT_MS: '30000', REQUEST_TIMEOUT_MS: '60000' };

/** All services on PostgreSQL, MariaDB and Redis, each with its replicas behind HAProxy. */
export interface ReplicatedSystem extends Servers {
  /** HAProxy's address of the router. */
  url: string;
  haproxy: Haproxy;
  /** All of them, running or not, by service. */
  replicas: Readonly<Record<ServiceName, readonly Replica[]>>;
  /** Bearer token of `GET /metrics` of each replica. */
  metricsToken: string;
  tokenFor(user: string, role: string): Promise<string>;
  /** Starts a replica, and resolves when HAProxy sends requests to it. */
  start(replica: Replica, signal: AbortSignal): Promise<void>;
}

export interface ReplicatedSystemOptions {
  /** How many replicas of each service have a port and are known to HAProxy. */
  maxReplicas: number;
  /** How many of them run at first. */
  running: number;
  drainSeconds: number;
  rootFor?: (replica: string) => string;
  /** The Redis of every process; one is started where there is none. */
  redisUrl?: string;
  /** Whether services wait long for one another, as a busy machine needs; the default. */
  isPatient?: boolean;
  /** Variables of every process, which take precedence over the defaults of a measurement. */
  variables?: Readonly<Record<string, string>>;
  /** The default: ten of them in a drain. */
  checks?: HealthChecks;
  /** The default: one of each. */
  startServers?: (folder: RunFolder, logs: string) => Promise<Servers>;
}

/** HAProxy needs two failed checks: they must be over long before the drain is. */
const CHECKS_PER_DRAIN = 10;
const UP_TIMEOUT_SECONDS = 60;

/** Throws a sentence that names what is not installed of the programs that the system consists of. */
export function requireReplicatedPrograms(): void {
  requirePackages({
    'redis-server': 'redis-server',
    mariadbd: 'mariadb-server',
    haproxy: 'haproxy',
  });
}

export async function startReplicatedSystem(
  folder: RunFolder,
  options: ReplicatedSystemOptions,
): Promise<ReplicatedSystem> {
  const { path, log, onStop } = folder;
  const { maxReplicas, drainSeconds, rootFor = () => projectFile('.') } = options;
  const logs = join(path, 'logs');
  mkdirSync(logs, { recursive: true });
  const withRedis = options.redisUrl === undefined;
  const servers = await (options.startServers?.(folder, logs) ??
    startServers('servers', folder, logs, { withRedis }));
  const identity = await startIdentity('servers', onStop);
  const publicPorts = await byService(() => reservePort());
  const metricsToken = randomBytes(32).toString('base64url');
  const settings = {
    servers,
    logs,
    log,
    urls: byContext((context) => `http://127.0.0.1:${publicPorts[context]}`),
    variables: {
      ...UNLIMITED,
      ...(options.isPatient === false ? {} : PATIENT),
      ...identity.settings,
      INTERNAL_TOKEN_KEYS: randomBytes(32).toString('base64url'),
      METRICS_TOKEN: metricsToken,
      TRUSTED_PROXIES: 'loopback',
      DRAIN_SECONDS: String(drainSeconds),
      REDIS_URL: options.redisUrl ?? (servers.redis?.url as string),
      ...options.variables,
    },
    rootFor,
  };
  const numbers = Array.from({ length: maxReplicas }, (_, index) => index + 1);
  const replicas = await byService((service) =>
    Promise.all(
      numbers.map(async (number) => new Replica(service, number, await reservePort(), settings)),
    ),
  );
  const haproxy = await startHaproxy(
    serviceNames.map((service) => ({
      service,
      port: publicPorts[service],
      servers: replicas[service],
    })),
    options.checks ?? {
      periodMs: (drainSeconds * 1_000) / CHECKS_PER_DRAIN,
      failures: 2,
      successes: 2,
    },
    folder,
    logs,
  );
  const all = Object.values(replicas).flat();
  onStop(async () => void (await Promise.all(all.map((replica) => replica.stop()))));
  const start = async (replica: Replica, signal: AbortSignal) => {
    await replica.start();
    await haproxy.waitUntilUp(replica.name, UP_TIMEOUT_SECONDS, signal);
  };
  const { signal } = new AbortController();
  const first = Object.values(replicas).flatMap((each) => each.slice(0, options.running));
  await Promise.all(first.map((replica) => start(replica, signal)));
  return {
    ...servers,
    url: `http://127.0.0.1:${publicPorts.router}`,
    haproxy,
    replicas,
    metricsToken,
    tokenFor: identity.tokenFor,
    start,
  };
}

async function byService<Value>(
  create: (service: ServiceName) => Promise<Value>,
): Promise<Record<ServiceName, Value>> {
  const entries = await Promise.all(
    serviceNames.map(async (service) => [service, await create(service)] as const),
  );
  return Object.fromEntries(entries) as Record<ServiceName, Value>;
}
