import type { ServiceName } from '../../../supervisor/src/services.ts';

/** A replica as the load balancer knows it. */
export interface BalancedServer {
  name: string;
  port: number;
}

/** One service behind the load balancer: the port of its clients, and those of its replicas. */
export interface BalancedService {
  service: ServiceName;
  port: number;
  servers: readonly BalancedServer[];
}

/** How often the load balancer asks a replica whether it is ready, and how many responses count. */
export interface HealthChecks {
  periodMs: number;
  failures: number;
  successes: number;
  /** Undefined: as in {@link DEFAULTS}. */
  timeoutMs?: number;
}

/**
 * The settings of every service; docs/operations/rollout.md shows them. A request is sent again, to another
 * replica, only where no connection could be opened: then it was not executed, even a mutation.
 */
export const DEFAULTS = `defaults
  mode http
  balance leastconn
  option forwardfor
  option redispatch 1
  retries 2
  retry-on conn-failure
  timeout connect 2s
  timeout queue 5s
  # Longer than REQUEST_TIMEOUT_MS and than the heartbeats of streams (10 s).
  timeout client 70s
  timeout server 70s
  # Longer than the routers keep an idle connection to a context (10 s).
  timeout http-keep-alive 60s
  timeout http-request 15s
  # WebSockets: the router pings each at least every 12 seconds.
  timeout tunnel 1h
  # Long: to take out a replica because it is busy makes the others busier.
  timeout check 10s
  option httpchk GET /health/ready
  http-check expect status 200`;

/** HAProxy's configuration; every address is on loopback. */
export function toHaproxyConfig(
  services: readonly BalancedService[],
  { statsPort, checks }: { statsPort: number; checks: HealthChecks },
): string {
  const { periodMs, failures, successes, timeoutMs } = checks;
  return [
    ...toGlobal(statsPort),
    DEFAULTS,
    ...(timeoutMs === undefined ? [] : [`  timeout check ${timeoutMs}ms`]),
    `  default-server check inter ${periodMs}ms fall ${failures} rise ${successes}`,
    ...services.flatMap(({ service, port, servers }) => [
      '',
      `listen ${service}`,
      `  bind 127.0.0.1:${port}`,
      ...servers.map((server) => `  server ${server.name} 127.0.0.1:${server.port}`),
    ]),
    '',
  ].join('\n');
}

/** The section of every configuration; the statistics are read over the port. */
export function toGlobal(statsPort: number): string[] {
  return ['global', '  maxconn 8192', `  stats socket ipv4@127.0.0.1:${statsPort} level user`, ''];
}
