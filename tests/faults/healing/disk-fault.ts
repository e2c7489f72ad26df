import { setTimeout as wait } from 'node:timers/promises';
import type { EmbeddedSystem } from './embedded-system.ts';
import type { Fault } from './fault.ts';
import type { SmallDisk } from './small-disk.ts';

/** How long the disk stays full. What is written meanwhile takes the little space that others free. */
const FULL_MS = 20_000;
const REFILL_MS = 500;
const SENTENCES = /^.*(The disk of|instance\.json).*$/gm;

/** The disk of the home is full, and has space again later. */
export function diskFault(system: EmbeddedSystem, disk: SmallDisk): Fault {
  return {
    ...{ group: 'disk', what: `full for ${FULL_MS / 1_000} s`, target: 'disk of the home' },
    repairedBy: 'space on the disk',
    async inject() {
      for (const end = Date.now() + FULL_MS; Date.now() < end; ) {
        disk.fill();
        await wait(REFILL_MS);
      }
      disk.free();
    },
    async inspect() {
      const said = system.readOutput().match(SENTENCES) ?? [];
      if (said.length < 2) throw new Error('The supervisor does not say that the disk is full.');
      return said.map((line) => `npm start said: ${line}`);
    },
    async untilRepaired(signal) {
      for (;;) {
        signal.throwIfAborted();
        const ready = await Promise.all(system.processes.map((each) => each.isReady()));
        if (ready.every((each) => each)) return;
        await wait(50);
      }
    },
  };
}
