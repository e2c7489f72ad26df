import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { type ChaosSystem, HOLD_SECONDS } from '../system/chaos-system.ts';
import type { ServiceProcess } from '../system/service-process.ts';
import type { Fault } from './fault.ts';

type Service = 'payment' | 'space';

/**
 * Services that are away for longer than a hold lasts: bookings expire, others take their slots, and
 * the late events of the former meet those of the latter.
 */
export const outageFaults: readonly Fault[] = [
  { name: 'payment-away-past-hold', weight: 2, draw: (random) => outage(random, ['payment']) },
  { name: 'space-away-past-hold', weight: 2, draw: (random) => outage(random, ['space']) },
  {
    name: 'payment-and-space-away-past-hold',
    weight: 4,
    draw: (random) => outage(random, random.pick(ORDERS)),
  },
];

/** Who comes back first. */
const ORDERS: readonly [Service, Service][] = [
  ['payment', 'space'],
  ['space', 'payment'],
];

/** Both copies of each service are frozen, or killed and not started again, for so long. */
function outage(random: Random, services: readonly Service[]) {
  const ms = HOLD_SECONDS * 1_000 + random.between(200, 2_000);
  // Long enough for others to book and pay what has become free.
  const gapMs = services.length > 1 ? random.between(300, 4_000) : 0;
  const away = random.chance(0.6) ? freeze : killAndKeepDown;
  const verb = away === freeze ? 'SIGSTOP' : 'SIGKILL';
  return {
    what: `${verb} ${services.join(' and ')} for ${ms} ms${gapMs ? `, the latter ${gapMs} ms more` : ''}`,
    // What is free again is fought over for a while after everybody is back.
    ms: ms + gapMs + 2_000,
    async run(system: ChaosSystem) {
      const hits = services.map((service, index) =>
        Promise.all(system.every(service).map((each) => away(each, ms + index * gapMs))),
      );
      return (await Promise.all(hits)).flat().some((hit) => hit);
    },
  };
}

const freeze = (each: ServiceProcess, ms: number) => each.freeze(ms);

async function killAndKeepDown(each: ServiceProcess, ms: number): Promise<boolean> {
  const stopped = each.stop();
  const hit = each.signal('SIGKILL');
  await stopped;
  await wait(ms);
  await each.start();
  return hit;
}
