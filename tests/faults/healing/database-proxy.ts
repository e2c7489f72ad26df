import { toGlobal } from '../replicas/haproxy-config.ts';
import { REDIS_PASSWORD } from '../system/redis.ts';

/** A server behind a proxy; `checkPort`: where it says whether it is the primary, if not at its own port. */
export interface ProxiedServer {
  name: string;
  port: number;
  checkPort?: number;
}

/** The servers of which one is the primary, and the port of their clients. */
export interface ProxiedServers {
  port: number;
  servers: readonly ProxiedServer[];
}

/**
 * What docs/operations/healing.md shows. Connections to a server that is no longer the primary are closed: a client
 * would go on using them.
 */
export const DATABASE_DEFAULTS = `defaults
  mode tcp
  timeout connect 2s
  # Connections stay open for as long as their clients want.
  timeout client 24h
  timeout server 24h
  timeout check 2s
  default-server check inter 1s fall 3 rise 1 on-marked-down shutdown-sessions`;

/** Patroni's REST API says which server is the primary. */
export const POSTGRES_CHECK = `  option httpchk GET /primary
  http-check expect status 200`;

/** Redis itself says whether it is the master. */
export const REDIS_CHECK = `  option tcp-check
  tcp-check connect
  tcp-check send "AUTH ${REDIS_PASSWORD}\\r\\n"
  tcp-check expect string +OK
  tcp-check send "INFO replication\\r\\n"
  tcp-check expect string role:master`;

/** HAProxy's configuration, which leads to the primary of each kind; every address is on loopback. */
export function toDatabaseProxyConfig(
  { postgres, redis }: { postgres: ProxiedServers; redis: ProxiedServers },
  statsPort: number,
): string {
  return [
    ...toGlobal(statsPort),
    DATABASE_DEFAULTS,
    ...listen('postgres', postgres, POSTGRES_CHECK),
    ...listen('redis', redis, REDIS_CHECK),
    '',
  ].join('\n');
}

function listen(name: string, { port, servers }: ProxiedServers, check: string): string[] {
  return [
    '',
    `listen ${name}`,
    `  bind 127.0.0.1:${port}`,
    check,
    ...servers.map(
      (server) =>
        `  server ${server.name} 127.0.0.1:${server.port}${server.checkPort ? ` port ${server.checkPort}` : ''}`,
    ),
  ];
}
