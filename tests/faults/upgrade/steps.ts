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

/** Upgrades everything, rolls everything back, and upgrades again, one process after another. */
export function planSteps(
  system: ChaosSystem,
  setVersion: (process: string, version: Version) => void,
): Step[] {
  const exchange = (process: ServiceProcess, version: Version): Step => ({
    what: `${process.name}: ${version === 'now' ? 'upgraded' : 'rolled back'}`,
    async run() {
      await process.stop();
      setVersion(process.name, version);
      await process.start();
    },
  });
  const restart = (process: ServiceProcess): Step => ({
    what: `${process.name}: restarted in the old version, its database is newer`,
    async run() {
      await process.stop();
      await process.start();
    },
  });
  const forward = () =>
    ORDER.flatMap((service) => system.every(service).map((each) => exchange(each, 'now')));
  const first = ORDER.flatMap((service) => {
    const [one, ...others] = system.every(service).map((each) => exchange(each, 'now'));
    const last = system.every(service).at(-1) as ServiceProcess;
    const between = others.length > 0 ? [restart(last)] : [];
    return one ? [one, ...between, ...others] : [];
  });
  const back = [...ORDER]
    .reverse()
    .flatMap((service) => system.every(service).map((each) => exchange(each, 'before')));
  return [...first, ...back, ...forward()];
}
