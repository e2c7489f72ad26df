import { projectFile } from '#platform/config/project.ts';
import { describeViolations } from '../replicas/load.ts';
import type { RunFolder } from '../run-folder.ts';
import {
  asynchronousFailoverFault,
  failoverFault,
  redisFailoverFault,
  restartFaults,
} from './database-faults.ts';
import { diskFault } from './disk-fault.ts';
import { startEmbedded } from './embedded-system.ts';
import type { Fault, Group } from './fault.ts';
import {
  type FaultResult,
  type MeasuredSystem,
  type Measuring,
  measureFault,
} from './measure-fault.ts';
import { memoryFault } from './memory-fault.ts';
import { whyNoMemoryLimit } from './memory-limit.ts';
import type { HealingOptions } from './options.ts';
import { find, hangFault, hangFaults, killFaults } from './process-faults.ts';
import { type HealingReplicas, startReplicas } from './replicated-system.ts';
import { mountSmallDisk } from './small-disk.ts';

/** Enough for new databases and their log. */
const DISK_BYTES = 512 << 20;

/** What came of the faults, and why some could not be performed on this machine, in sentences. */
export interface HealingResult {
  faults: FaultResult[];
  leftOut: string[];
}

/** Performs the faults of the chosen groups on one system after the other. */
export async function runHealing(
  options: HealingOptions,
  folder: RunFolder,
  measuring: Measuring,
): Promise<HealingResult> {
  const { log, signal } = measuring;
  const has = (...groups: Group[]) => options.groups.some((group) => groups.includes(group));
  const result: HealingResult = { faults: [], leftOut: [] };
  if (has('kill', 'hang') && !options.isShort) {
    await inFolder(folder, async (own) => {
      log('starting the system as npm start does');
      const system = await startEmbedded(projectFile('.spacerent'), options.clients, own, signal);
      const faults = [
        ...killFaults(system.processes, 'the supervisor'),
        hangFault(find(system.processes, 'book'), 'the supervisor'),
      ];
      result.faults.push(...(await performAll(system, faults, options, measuring)));
    });
  }
  if (has('disk') && !options.isShort) {
    await inFolder(folder, async (own) => {
      const disk = mountSmallDisk(own, DISK_BYTES);
      if (typeof disk === 'string') return void result.leftOut.push(`The full disk: ${disk}`);
      log('starting the system as npm start does, on a small disk');
      const system = await startEmbedded(disk.folder, options.clients, own, signal);
      const faults = [diskFault(system, disk)];
      result.faults.push(...(await performAll(system, faults, options, measuring)));
    });
  }
  if (has('kill', 'hang', 'memory', 'database', 'failover', 'redis')) {
    await inFolder(folder, async (own) => {
      log('starting two replicas of each service behind HAProxy');
      const system = await startReplicas(options, own, log, signal);
      const unlimited = has('memory') ? whyNoMemoryLimit() : undefined;
      if (unlimited) result.leftOut.push(`The memory limit: ${unlimited}`);
      const faults = faultsOfReplicas(system).filter(
        ({ group }) => !(unlimited && group === 'memory'),
      );
      result.faults.push(...(await performAll(system, faults, options, measuring)));
    });
  }
  return result;
}

/** In an order in which each leaves the system whole for the next one. */
function faultsOfReplicas({ processes, servers, load, untilTakenOut }: HealingReplicas): Fault[] {
  return [
    ...killFaults(processes, 'the kubelet'),
    ...hangFaults(processes, 'the liveness probe', untilTakenOut),
    memoryFault(find(processes, 'book'), 'the kubelet'),
    ...restartFaults(servers),
    failoverFault(servers),
    redisFailoverFault(servers),
    asynchronousFailoverFault(servers, load.records),
  ];
}

/** Performs the chosen faults one after the other; waits for what is repaired later, and checks the invariants again. */
async function performAll(
  system: MeasuredSystem,
  faults: readonly Fault[],
  { groups, isShort }: HealingOptions,
  measuring: Measuring,
): Promise<FaultResult[]> {
  const chosen = faults.filter(
    (fault, index) =>
      groups.includes(fault.group) &&
      (!isShort || faults.findIndex(({ group }) => group === fault.group) === index),
  );
  const results: FaultResult[] = [];
  const repairs: Promise<void>[] = [];
  for (const fault of chosen) {
    // Something else would happen to a process that is still to be repaired.
    if (!fault.untilContained) await Promise.all(repairs);
    const { result, repaired } = await measureFault(system, fault, measuring);
    results.push(result);
    repairs.push(repaired);
    // Awaited below; until then it must not end the process.
    repaired.catch(() => {});
  }
  await Promise.all(repairs);
  const last = results.at(-1);
  if (chosen.at(-1)?.losesData) return results;
  const checked = { hasOlderViews: false, signal: measuring.signal };
  last?.wrong.push(...(await describeViolations(system, system.load.records, checked)));
  return results;
}

/** What `work` starts is stopped when it has ended. */
async function inFolder(folder: RunFolder, work: (own: RunFolder) => Promise<void>): Promise<void> {
  const steps: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  // After an interruption the work does not end by itself.
  folder.onStop(stop);
  await work({ ...folder, onStop: (step) => steps.push(step) });
  await stop();
}
