import type { ServiceName } from '../../../supervisor/src/services.ts';
import type { ChaosSystem } from '../system/chaos-system.ts';
import type { ServiceProcess } from '../system/service-process.ts';

/**
 * The documented order of an upgrade: a service before those that send requests to it; the router,
 * whose schema contains the schemas of all, last. A rollback has the reverse order.
 */
export const UPGRADE_ORDER: readonly ServiceName[] = [
  'mypage',
  'space',
  'payment',
  'book',
  'router',
];

export type Version = 'baseline' | 'current';

export interface Step {
  description: string;
  run(): Promise<void>;
}

/**
 * Upgrades, rolls back and upgrades every process again, one after another. With `isShort` the
 * rollback and the second upgrade replace all copies of a service at once.
 */
export function planSteps(
  system: ChaosSystem,
  setVersion: (process: string, version: Version) => void,
  isShort: boolean,
): Step[] {
  const replace = (version: Version, ...processes: ServiceProcess[]): Step => ({
    description: `${processes.map(({ name }) => name).join(', ')} ${version === 'current' ? 'upgraded' : 'rolled back'}`,
    async run() {
      await Promise.all(
        processes.map(async (process) => {
          await process.stop();
          setVersion(process.name, version);
          await process.start();
        }),
      );
    },
  });
  const restart = (process: ServiceProcess): Step => ({
    description: `${process.name} restarted with the baseline version on the newer database`,
    async run() {
      await process.stop();
      await process.start();
    },
  });
  const replaceService = (version: Version, service: ServiceName): Step[] => {
    const processes = system.processesOf(service);
    if (isShort) return [replace(version, ...processes)];
    return processes.map((process) => replace(version, process));
  };

  const upgrade = UPGRADE_ORDER.flatMap((service) => {
    const processes = system.processesOf(service);
    const [first, ...others] = processes.map((process) => replace('current', process));
    const last = processes.at(-1);
    if (!first || !last) return [];
    return others.length > 0 ? [first, restart(last), ...others] : [first];
  });
  const rollback = [...UPGRADE_ORDER]
    .reverse()
    .flatMap((service) => replaceService('baseline', service));
  const secondUpgrade = UPGRADE_ORDER.flatMap((service) => replaceService('current', service));
  return [...upgrade, ...rollback, ...secondUpgrade];
}
