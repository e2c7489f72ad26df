import { setTimeout as wait } from 'node:timers/promises';
import { cancelBooking, requestBooking } from '../load/operations.ts';
import type { CustomerSlots } from '../load/slot-plan.ts';
import type { Random } from '../random.ts';
import type { Load } from './load.ts';

/** Books and cancels the booking, one after the other. */
export async function actAsBooker(booker: {
  name: string;
  random: Random;
  load: Load;
  slots: CustomerSlots;
  pauseMs: number;
  isOver: () => boolean;
}): Promise<void> {
  const { name, random, load, slots, pauseMs, isOver } = booker;
  const { router, records } = load;
  for (let turn = 0; !isOver(); turn += 1) {
    const input = { ...slots.ownSlot(random), headcount: 1, paymentMethod: 'pm_ok' };
    const outcome = await requestBooking(router, records, name, `${name}-${turn}`, input);
    await wait(random.between(0, 2 * pauseMs));
    if (outcome.kind === 'ok') await cancelBooking(router, records, name, outcome.bookingId);
    await wait(random.between(0, 2 * pauseMs));
  }
}
