import { setTimeout as wait } from 'node:timers/promises';
import { contextNames } from '#contracts/topology.ts';
import { serviceNames } from '../../../supervisor/src/services.ts';
import { HOLD_SECONDS } from '../system/service-definitions.ts';
import type { Fault } from './fault.ts';

/** Processes are killed, frozen and stopped. */
export const processFaults: readonly Fault[] = [
  ...serviceNames.map(
    (service): Fault => ({
      name: `kill-${service}`,
      weight: service === 'router' ? 2 : 5,
      draw(random, system) {
        const target = random.pick(system.processesOf(service));
        // Repeated kills also hit the process while it starts.
        const times = random.weighted({ once: 8, thrice: 2 }) === 'once' ? 1 : 3;
        const pauses = Array.from({ length: times }, () => random.between(150, 900));
        return {
          description: `kill -9 ${target.name}${times > 1 ? ` ${times} times` : ''}`,
          durationMs: pauses.reduce((sum, ms) => sum + ms, 0),
          async run() {
            let hit = false;
            for (const ms of pauses) {
              hit = target.signal('SIGKILL') || hit;
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
      description: 'kill -9 every service at once',
      durationMs: 100,
      run: async (system) =>
        system.processes.map((process) => process.signal('SIGKILL')).some((hit) => hit),
    }),
  },
  {
    name: 'terminate-under-load',
    weight: 5,
    draw(random, system) {
      const target = random.pick(system.processes);
      return {
        description: `SIGTERM ${target.name}`,
        durationMs: 500,
        run: async () => target.signal('SIGTERM'),
      };
    },
  },
  {
    name: 'freeze-briefly',
    weight: 5,
    draw(random, system) {
      const target = random.pick(system.processes);
      const ms = random.between(300, 2_500);
      return {
        description: `SIGSTOP ${target.name} for ${ms} ms`,
        durationMs: ms,
        run: () => target.freeze(ms),
      };
    },
  },
  {
    // Locks of workers expire after 10 s: another worker processes the job before this one resumes.
    name: 'freeze-beyond-lock',
    weight: 1,
    draw(random, system) {
      const target = random.pick(system.processesOf(random.pick(contextNames)));
      const ms = 12_000;
      return {
        description: `SIGSTOP ${target.name} for ${ms} ms`,
        durationMs: ms,
        run: () => target.freeze(ms),
      };
    },
  },
  {
    name: 'down-past-deadline',
    weight: 1,
    draw: (random) => {
      const ms = HOLD_SECONDS * 1_000 + random.between(200, 1_000);
      const kill = random.chance(0.5);
      return {
        description: `every service is down for ${ms} ms after ${kill ? 'SIGKILL' : 'SIGTERM'}`,
        durationMs: ms + 3_000,
        async run(system) {
          const stopped = system.processes.map((process) => process.stop());
          if (kill) for (const process of system.processes) process.signal('SIGKILL');
          await Promise.all(stopped);
          await wait(ms);
          await Promise.all(system.processes.map((process) => process.start()));
          return true;
        },
      };
    },
  },
];
