import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { ChaosSystem } from '../system/chaos-system.ts';
import { HOLD_SECONDS } from '../system/service-definitions.ts';
import type { ServiceProcess } from '../system/service-process.ts';
import type { Fault, Injection } from './fault.ts';

type Service = 'payment' | 'space';

/** In which order the services recover. */
const RECOVERY_ORDERS: readonly [Service, Service][] = [
  ['payment', 'space'],
  ['space', 'payment'],
];

/**
 * Services are down for longer than a hold lasts: bookings expire, other customers book their slots,
 * and late events of the expired bookings arrive among the events of the new ones.
 */
export const outageFaults: readonly Fault[] = [
  { name: 'payment-down-past-hold', weight: 2, draw: (random) => outage(random, ['payment']) },
  { name: 'space-down-past-hold', weight: 2, draw: (random) => outage(random, ['space']) },
  {
    name: 'payment-and-space-down-past-hold',
    weight: 4,
    draw: (random) => outage(random, random.pick(RECOVERY_ORDERS)),
  },
];

/** Freezes all copies of each service, or kills them and starts them again later. */
function outage(random: Random, services: readonly Service[]): Injection {
  const ms = HOLD_SECONDS * 1_000 + random.between(200, 2_000);
  // Long enough for other customers to book and pay for the free slots.
  const gapMs = services.length > 1 ? random.between(300, 4_000) : 0;
  const takeDown = random.chance(0.6) ? freeze : killAndRestart;
  const signal = takeDown === freeze ? 'SIGSTOP' : 'SIGKILL';
  const gap = gapMs ? `, the latter for ${gapMs} ms more` : '';
  return {
    description: `${signal} ${services.join(' and ')} for ${ms} ms${gap}`,
    // After the recovery the load goes on, so that customers compete for the free slots.
    durationMs: ms + gapMs + 2_000,
    async run(system: ChaosSystem) {
      const hits = services.map((service, index) =>
        Promise.all(
          system.processesOf(service).map((process) => takeDown(process, ms + index * gapMs)),
        ),
      );
      return (await Promise.all(hits)).flat().some((hit) => hit);
    },
  };
}

const freeze = (process: ServiceProcess, ms: number) => process.freeze(ms);

async function killAndRestart(process: ServiceProcess, ms: number): Promise<boolean> {
  const stopped = process.stop();
  const hit = process.signal('SIGKILL');
  await stopped;
  await wait(ms);
  await process.start();
  return hit;
}
