import { prepareLoad } from '../replicas/load.ts';
import { type ReplicatedSystem, startReplicatedSystem } from '../replicas/replicated-system.ts';
import type { RunFolder } from '../run-folder.ts';
import { createClients } from './clients.ts';
import { playKubelet } from './kubelet.ts';
import type { MeasuredSystem } from './measure-fault.ts';
import { readProbes } from './probes.ts';
import { type FailingProcess, respondsReady } from './process-faults.ts';

const REPLICAS = 2;
const DRAIN_SECONDS = 5;

/** Two replicas of each service, probed as the chart says. */
export interface HealingReplicas extends MeasuredSystem {
  system: ReplicatedSystem;
  processes: readonly FailingProcess[];
}

export async function startReplicas(
  clients: number,
  folder: RunFolder,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<HealingReplicas> {
  const probes = await readProbes(DRAIN_SECONDS);
  const system = await startReplicatedSystem(folder, {
    maxReplicas: REPLICAS,
    running: REPLICAS,
    drainSeconds: DRAIN_SECONDS,
    checks: probes.readiness,
    // Otherwise the settings that a new installation has. The load is of few customers.
    isPatient: false,
    variables: { MAX_UNPAID_HOLDS: '1000' },
  });
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
    system,
    processes: replicas.map((replica) => ({
      service: replica.service,
      name: replica.name,
      pid: () => replica.pid,
      isReady: () => respondsReady(replica.url),
    })),
  };
}
