import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { block, decide, unblock } from './host-operations.ts';
import type { Records } from './records.ts';
import type { RouterClient } from './router-client.ts';
import type { CustomerSlots } from './slot-plan.ts';

/** What the host does, with the relative frequency. */
const ACTIONS = {
  decide: 8,
  decideTenTimes: 2,
  block: 2,
  blockTwice: 1,
} as const;

interface Host {
  name: string;
  random: Random;
  router: RouterClient;
  records: Records;
  slots: CustomerSlots;
  /** Once it returns true, no new action begins. */
  isOver: () => boolean;
}

/** Decides on bookings, closes times and opens most of them again, until the load is over. */
export async function actAsHost(host: Host): Promise<void> {
  for (let turn = 0; !host.isOver(); turn += 1) {
    const random = host.random.fork(`turn ${turn}`);
    await act(host, random, `${host.name}-${turn}`);
    await wait(random.between(40, 320));
  }
}

async function act(
  { name, router, records, slots }: Host,
  random: Random,
  key: string,
): Promise<void> {
  const action = random.weighted(ACTIONS);
  const slot = slots.hotSlot(random);
  const { awaitingApproval } = records;
  switch (action) {
    case 'decide':
    case 'decideTenTimes': {
      const id = awaitingApproval[random.between(0, 1_000) % Math.max(1, awaitingApproval.length)];
      const times = action === 'decide' ? 1 : 10;
      if (!id) return;
      await Promise.all(
        Array.from({ length: times }, (_, index) => {
          const isApproved = random.fork(`decision ${index}`).chance(0.7);
          return decide(router, records, name, id, isApproved ? 'approve' : 'reject');
        }),
      );
      return;
    }
    case 'block':
    case 'blockTwice': {
      const times = action === 'block' ? 1 : 2;
      const made = await Promise.all(
        Array.from({ length: times }, () => block(router, records, name, key, slot)),
      );
      // The slots are few: those that stay closed leave nothing to book.
      await wait(random.between(0, 600));
      if (random.chance(0.9)) await Promise.all(made.map((each) => unblock(router, name, each)));
    }
  }
}
