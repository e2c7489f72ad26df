import { prepareLoad } from '../replicas/load.ts';
import { startReplicatedSystem } from '../replicas/replicated-system.ts';
import type { RunFolder } from '../run-folder.ts';
import { createClients } from './clients.ts';
import { type DatabaseServers, startDatabaseServers } from './database-servers.ts';
import { playKubelet } from './kubelet.ts';
import type { MeasuredSystem } from './measure-fault.ts';
import type { HealingOptions } from './options.ts';
import { hasten, readProbes } from './probes.ts';
import { type FailingProcess, respondsReady } from './process-faults.ts';

const REPLICAS = 2;
const DRAIN_SECONDS = 5;
const TAKEN_OUT_SECONDS = 60;

/** Two replicas of each service, probed as the chart says. */
export interface HealingReplicas extends MeasuredSystem {
  servers: DatabaseServers;
  processes: readonly FailingProcess[];
  /** Resolves when the load balancer sends nothing to the replica any more. */
  untilTakenOut(name: string, signal: AbortSignal): Promise<void>;
}

export async function startReplicas(
  { clients, isShort }: Pick<HealingOptions, 'clients' | 'isShort'>,
  folder: RunFolder,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<HealingReplicas> {
  const inChart = await readProbes(DRAIN_SECONDS);
  const probes = isShort ? hasten(inChart) : inChart;
  let servers: DatabaseServers | undefined;
  const system = await startReplicatedSystem(folder, {
    maxReplicas: REPLICAS,
    running: REPLICAS,
    drainSeconds: DRAIN_SECONDS,
    startServers: async (own, logs) => {
      servers = await startDatabaseServers(own, logs);
      return servers;
    },
    checks: probes.readiness,
    // Otherwise the settings that a new installation has. The load is of few customers.
    isPatient: false,
    variables: { MAX_UNPAID_HOLDS: '1000' },
  });
  if (!servers) throw new Error('The databases were not started.');
  const load = await prepareLoad(system, 'healing', signal);
  const kubelet = new AbortController();
  folder.onStop(async () => kubelet.abort());
  folder.onStop(() => load.close());
  const replicas = Object.values(system.replicas).flat();
  playKubelet(replicas, probes, log, kubelet.signal);
  return {
    ...system,
    name: 'replicas',
    load,
    clients: createClients(load, clients),
    servers,
    untilTakenOut: (name, until) => system.haproxy.waitUntilDown(name, TAKEN_OUT_SECONDS, until),
    processes: replicas.map((replica) => ({
      service: replica.service,
      name: replica.name,
      pid: () => replica.pid,
      isReady: () => respondsReady(replica.url),
    })),
  };
}
