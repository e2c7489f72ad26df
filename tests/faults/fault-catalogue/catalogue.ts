import type { Random } from '../random.ts';
import type { ChaosSystem, Profile } from '../system/chaos-system.ts';
import { databaseFaults } from './database-faults.ts';
import type { Fault, Injection } from './fault.ts';
import { networkFaults } from './network-faults.ts';
import { outageFaults } from './outage-faults.ts';
import { processFaults } from './process-faults.ts';
import { queueFaults } from './queue-faults.ts';

export const faultCatalogue: readonly Fault[] = [
  ...processFaults,
  ...queueFaults,
  ...databaseFaults,
  ...networkFaults,
  ...outageFaults,
];

export function isInProfile(fault: Fault, profile: Profile): boolean {
  return fault.profile === undefined || fault.profile === profile;
}

export interface PlannedFault {
  name: string;
  /** From the beginning of the load. */
  atMs: number;
  injection: Injection;
}

/** Draws one to four faults for a run, with their times, targets and durations. */
export function planFaults(
  random: Random,
  system: ChaosSystem,
  options: { only: string | undefined; loadMs: number },
): PlannedFault[] {
  const faults = faultCatalogue.filter(
    (fault) =>
      isInProfile(fault, system.profile) &&
      (options.only === undefined || fault.name === options.only),
  );
  const weights = Object.fromEntries(faults.map(({ name, weight }) => [name, weight]));
  const count = random.between(1, 4);
  return Array.from({ length: count }, (_, index) => {
    const own = random.fork(`fault ${index}`);
    const name = own.weighted(weights);
    const fault = faults.find((each) => each.name === name) as Fault;
    const atMs = own.between(200, Math.max(200, options.loadMs - 600));
    return { name, atMs, injection: fault.draw(own, system) };
  });
}
