import { setTimeout as wait } from 'node:timers/promises';
import type { ContextName } from '#contracts/topology.ts';
import type { Random } from '../random.ts';
import type { ChaosSystem } from '../system/chaos-system.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import type { Injection } from './fault.ts';

/** A proxied connection between a process and a server or another service. */
export type Connection = [name: string, proxy: TcpProxy];

/** Begins a fault on the connections and heals them `ms` later. */
export function injectFor(
  connections: readonly Connection[],
  ms: number,
  description: string,
  begin: (proxy: TcpProxy) => boolean,
): Injection {
  return {
    description: `${description}: ${joinNames(connections)}`,
    durationMs: ms,
    async run() {
      const hits = connections.map(([, proxy]) => begin(proxy));
      await wait(ms);
      for (const [, proxy] of connections) proxy.heal();
      return hits.some((hit) => hit);
    },
  };
}

/** The service's database executes a statement with `text`, but its response is lost. */
export function loseDatabaseResponses(
  random: Random,
  system: ChaosSystem,
  service: ContextName,
  text: string,
): Injection {
  const times = random.between(1, 4);
  const ms = random.between(600, 2_500);
  const proxies = system.processesOf(service).flatMap(({ databaseProxy }) => databaseProxy ?? []);
  const description = `${times} responses of ${service}'s database to ${text} are lost`;
  return loseResponses(proxies, text, times, ms, description);
}

/** The next `times` requests with `text` reach the server; the connection is reset before the response. */
export function loseResponses(
  proxies: readonly TcpProxy[],
  text: string,
  times: number,
  ms: number,
  description: string,
): Injection {
  return {
    description,
    durationMs: ms,
    async run() {
      for (const proxy of proxies) proxy.cutAfter(text, times);
      await wait(ms);
      const hit = proxies.some((proxy) => proxy.cutsLeft < times);
      for (const proxy of proxies) proxy.cutAfter('', 0);
      return hit;
    },
  };
}

export function databaseConnections(system: ChaosSystem): Connection[] {
  return system.processes.flatMap(({ name, databaseProxy }): Connection[] =>
    databaseProxy ? [[`${name}>database`, databaseProxy]] : [],
  );
}

export function allConnections(system: ChaosSystem): Connection[] {
  const queues = system.processes.map(
    ({ name, queueProxy }): Connection => [`${name}>queue`, queueProxy],
  );
  return [...databaseConnections(system), ...queues, ...Object.entries(system.httpProxies)];
}

/** Draws from one to `max` different connections. */
export function drawConnections(
  random: Random,
  connections: readonly Connection[],
  max: number,
): Connection[] {
  const drawn = Array.from({ length: random.between(1, max) }, () => random.pick(connections));
  return [...new Map(drawn)];
}

export function joinNames(connections: readonly Connection[]): string {
  return connections.map(([name]) => name).join(', ');
}
