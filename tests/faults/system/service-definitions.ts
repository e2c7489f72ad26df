import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ContextName, contextNames } from '#contracts/topology.ts';
import { defineServices, type ServiceName } from '../../../supervisor/src/services.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Profile } from './profile.ts';
import type { Servers } from './servers.ts';
import { ServiceProcess } from './service-process.ts';

/** Short, so that a run includes what takes minutes in production. */
export const HOLD_SECONDS = 6;

const SETTINGS = {
  HOLD_SECONDS: String(HOLD_SECONDS),
  PAYMENT_TIMEOUT_MS: '1000',
  PROVIDER_TIMEOUT_MS: '1500',
  SUBGRAPH_TIMEOUT_MS: '5000',
  DRAIN_SECONDS: '1',
  // While payment is unreachable, a customer of the load has more unpaid holds than the default allows.
  MAX_UNPAID_HOLDS: '20',
  // The load sends all requests from one address: rates must not limit it.
  MUTATIONS_PER_MINUTE_PER_USER: '0',
  MUTATIONS_PER_MINUTE_PER_ADDRESS: '0',
  QUERY_COST_PER_MINUTE_PER_USER: '0',
  QUERY_COST_PER_MINUTE_PER_ADDRESS: '0',
};

/** What the definitions of all services have in common. */
export interface DefinitionContext {
  profile: Profile;
  servers: Servers;
  logs: string;
  log(line: string): void;
  /** The settings with keys and secrets. */
  credentials: Record<string, string>;
  /** The proxies between services, by `from>to`. */
  httpProxies: Readonly<Record<string, TcpProxy>>;
  /** The folder of the version that a process runs. */
  rootFor(process: string): string;
}

/** Defines one copy of a service as the supervisor does, with its servers behind proxies. */
export function defineProcess(
  context: DefinitionContext,
  copy: {
    name: string;
    service: ServiceName;
    port: number;
    databaseProxy: TcpProxy | undefined;
    queueProxy: TcpProxy;
  },
): ServiceProcess {
  const { servers } = context;
  const { name, service, port, databaseProxy, queueProxy } = copy;
  const logs = join(context.logs, name);
  mkdirSync(logs, { recursive: true });
  const queueUrl = queueProxy.through(servers.redis?.url ?? servers.postgres.urls.queue);
  const define = (onChange: (pid: number | undefined) => void) =>
    defineServices({
      root: context.rootFor(name),
      logs,
      routerHost: '127.0.0.1',
      ports: { router: port, book: port, payment: port, space: port, mypage: port },
      urls: byContext((to) => proxiedUrl(context.httpProxies[`${service}>${to}`])),
      shared: {
        ...SETTINGS,
        ...context.credentials,
        SPACERENT_PROFILE: context.profile,
        [servers.redis ? 'REDIS_URL' : 'QUEUE_DATABASE_URL']: queueUrl,
      },
      databases: byContext((to) => (to === service ? databaseUrl(to, servers, databaseProxy) : '')),
      onChange: (changed, pid) => {
        if (changed === service) onChange(pid);
      },
      say: (line) => context.log(`${name}: ${line}`),
    });
  const url = `http://127.0.0.1:${port}`;
  return new ServiceProcess({ name, service, url, databaseProxy, queueProxy, define });
}

/** A service has no proxy to itself: its own address is not used. */
function proxiedUrl(proxy: TcpProxy | undefined): string {
  return (proxy?.through('http://proxy') ?? 'http://itself').replace(/\/$/, '');
}

function databaseUrl(
  context: ContextName,
  { postgres, viewsUrl }: Servers,
  proxy: TcpProxy | undefined,
): string {
  const url = context === 'mypage' ? viewsUrl : postgres.urls[context];
  return proxy ? proxy.through(url) : url;
}

function byContext(value: (context: ContextName) => string): Record<ContextName, string> {
  const entries = contextNames.map((context) => [context, value(context)]);
  return Object.fromEntries(entries) as Record<ContextName, string>;
}
