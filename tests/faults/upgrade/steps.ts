import type { ServiceName } from '../../../supervisor/src/services.ts';
import type { ChaosSystem } from '../system/chaos-system.ts';
import type { ServiceProcess } from '../system/service-process.ts';

/**
 * The order in which README.md upgrades services: who is called before who calls, the router, whose
 * schema names what they serve, last. A rollback takes the way back.
 */
const ORDER: readonly ServiceName[] = ['mypage', 'space', 'payment', 'book', 'router'];

export type Version = 'before' | 'now';

export interface Step {
  what: string;
  run(): Promise<void>;
}

/**
 * Upgrades everything, rolls everything back, and upgrades again, one process after another. With
 * `isShort` the way back and the second way there exchange all copies of a service at once.
 */
export function planSteps(
  system: ChaosSystem,
  setVersion: (process: string, version: Version) => void,
  isShort: boolean,
): Step[] {
  const exchange = (version: Version, ...processes: ServiceProcess[]): Step => ({
    what: `${processes.map(({ name }) => name).join(', ')} ${version === 'now' ? 'upgraded' : 'rolled back'}`,
    run: () =>
      all(processes, async (process) => {
        await process.stop();
        setVersion(process.name, version);
        await process.start();
      }),
  });
  const restart = (process: ServiceProcess): Step => ({
    what: `${process.name} restarted in the old version, its database is newer`,
    async run() {
      await process.stop();
      await process.start();
    },
  });
  const each = (version: Version, service: ServiceName): Step[] =>
    isShort
      ? [exchange(version, ...system.every(service))]
      : system.every(service).map((process) => exchange(version, process));

  const first = ORDER.flatMap((service) => {
    const processes = system.every(service);
    const [one, ...others] = processes.map((process) => exchange('now', process));
    const last = processes.at(-1);
    if (!one || !last) return [];
    return others.length > 0 ? [one, restart(last), ...others] : [one];
  });
  const back = [...ORDER].reverse().flatMap((service) => each('before', service));
  const again = ORDER.flatMap((service) => each('now', service));
  return [...first, ...back, ...again];
}

async function all(
  processes: readonly ServiceProcess[],
  work: (process: ServiceProcess) => Promise<void>,
): Promise<void> {
  await Promise.all(processes.map(work));
}
