import { setTimeout as wait } from 'node:timers/promises';
import { contextNames } from '#contracts/topology.ts';
import { serviceNames } from '../../../supervisor/src/services.ts';
import { HOLD_SECONDS } from '../system/chaos-system.ts';
import type { Fault } from './fault.ts';

/** What happens to processes: they die, freeze, are told to go, or are all gone for a while. */
export const processFaults: readonly Fault[] = [
  ...serviceNames.map(
    (service): Fault => ({
      name: `kill-${service}`,
      weight: service === 'router' ? 2 : 5,
      draw(random, system) {
        const victim = random.pick(system.every(service));
        // Several times in a row: also while it is just starting.
        const times = random.weighted({ once: 8, thrice: 2 }) === 'once' ? 1 : 3;
        const pauses = Array.from({ length: times }, () => random.between(150, 900));
        return {
          what: `kill -9 ${victim.name}${times > 1 ? ` ${times} times` : ''}`,
          ms: pauses.reduce((sum, ms) => sum + ms, 0),
          async run() {
            let hit = false;
            for (const ms of pauses) {
              hit = victim.signal('SIGKILL') || hit;
              await wait(ms);
            }
            return hit;
          },
        };
      },
    }),
  ),
  {
    name: 'kill-everything',
    weight: 2,
    draw: () => ({
      what: 'kill -9 every service at once',
      ms: 100,
      run: async (system) =>
        system.processes.map((each) => each.signal('SIGKILL')).some((hit) => hit),
    }),
  },
  {
    name: 'terminate-under-load',
    weight: 5,
    draw(random, system) {
      const victim = random.pick(system.processes);
      return {
        what: `SIGTERM ${victim.name}`,
        ms: 500,
        run: async () => victim.signal('SIGTERM'),
      };
    },
  },
  {
    name: 'freeze-shortly',
    weight: 5,
    draw(random, system) {
      const victim = random.pick(system.processes);
      const ms = random.between(300, 2_500);
      return { what: `SIGSTOP ${victim.name} ${ms} ms`, ms, run: () => victim.freeze(ms) };
    },
  },
  {
    // The workers' locks last 10 s: another one takes over the job, then the first goes on with it.
    name: 'freeze-beyond-lock',
    weight: 1,
    draw(random, system) {
      const victim = random.pick(system.every(random.pick(contextNames)));
      const ms = 12_000;
      return { what: `SIGSTOP ${victim.name} ${ms} ms`, ms, run: () => victim.freeze(ms) };
    },
  },
  {
    name: 'down-past-deadline',
    weight: 1,
    draw: (random) => {
      const ms = HOLD_SECONDS * 1_000 + random.between(200, 1_000);
      const kill = random.chance(0.5);
      return {
        what: `everything down for ${ms} ms after ${kill ? 'SIGKILL' : 'SIGTERM'}`,
        ms: ms + 3_000,
        async run(system) {
          const stopped = system.processes.map((each) => each.stop());
          if (kill) for (const each of system.processes) each.signal('SIGKILL');
          await Promise.all(stopped);
          await wait(ms);
          await Promise.all(system.processes.map((each) => each.start()));
          return true;
        },
      };
    },
  },
];
