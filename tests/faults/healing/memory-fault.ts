import type { Fault } from './fault.ts';
import { limitMemory } from './memory-limit.ts';
import { type FailingProcess, requirePid, untilReplaced } from './process-faults.ts';

/** A busy process wants more than this within seconds, although it gives as much back. */
const SPARE_BYTES = 4 << 20;

/** The process reaches its memory limit under the load of its clients, and the kernel ends it. */
export function memoryFault(target: FailingProcess, repairedBy: string): Fault {
  let limited: number | undefined;
  let removeLimit = () => {};
  return {
    ...{ group: 'memory', what: 'memory limit reached', target: target.name, repairedBy },
    async inject() {
      limited = requirePid(target);
      removeLimit = limitMemory(limited, SPARE_BYTES);
    },
    untilRepaired: (signal) => untilReplaced(target, limited, signal).finally(() => removeLimit()),
  };
}
