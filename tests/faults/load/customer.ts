import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { cancelBooking, readMyPage, requestBooking } from './operations.ts';
import type { Body, Outcome, Records } from './records.ts';
import type { RouterClient } from './router-client.ts';
import type { Seat, Slot } from './slot-plan.ts';

/** How often customers do what. */
const HABITS = {
  hotSlot: 24,
  ownSlot: 26,
  neighbours: 8,
  sameKeyAtOnce: 8,
  otherBody: 4,
  cancelOne: 12,
  cancelTenTimes: 3,
  cancelAtOnce: 9,
  read: 8,
} as const;

const METHODS = {
  pm_ok: 73,
  pm_declined: 6,
  pm_slow: 3,
  pm_timeout_paid: 5,
  pm_timeout_unpaid: 5,
  pm_busy: 5,
  pm_refund_slow: 3,
} as const;

interface Surroundings {
  name: string;
  random: Random;
  router: RouterClient;
  records: Records;
  seat: Seat;
  /** No new action begins after it. */
  isOver: () => boolean;
}

/** Books, cancels and looks, one action after another, until the time is over. */
export async function customer(of: Surroundings): Promise<void> {
  const mine: string[] = [];
  for (let turn = 0; !of.isOver(); turn += 1) {
    // A fork for each turn: how an earlier one went changes nothing in what this one draws.
    const random = of.random.fork(`turn ${turn}`);
    await act(of, random, `${of.name}-${turn}`, mine);
    await wait(random.between(40, 320));
  }
}

async function act(of: Surroundings, random: Random, key: string, mine: string[]): Promise<void> {
  const { name, router, records, seat } = of;
  const habit = random.weighted(HABITS);
  const method = random.weighted(METHODS);
  const headcount = random.between(1, 4);
  const book = async (body: Body, ownKey = key) => {
    const outcome = await persist(of, random.fork(ownKey), ownKey, body);
    if (outcome.kind === 'ok') mine.push(outcome.bookingId);
    return outcome;
  };
  const bodyAt = (slot: Slot): Body => ({
    ...slot,
    headcount,
    paymentMethod: method,
  });

  switch (habit) {
    case 'hotSlot':
      await book(bodyAt(seat.hotSlot(random)));
      return;
    case 'ownSlot':
      await book(bodyAt(seat.ownSlot(random)));
      return;
    case 'neighbours': {
      // Back to back: they touch, and must not get in each other's way.
      const slots = seat.neighbours();
      await Promise.all(slots.map((slot, index) => book(bodyAt(slot), `${key}-${index}`)));
      return;
    }
    case 'sameKeyAtOnce': {
      const body = bodyAt(seat.hotSlot(random));
      const times = random.between(2, 5);
      await Promise.all(Array.from({ length: times }, () => book(body)));
      return;
    }
    case 'otherBody': {
      const body = bodyAt(seat.ownSlot(random));
      await Promise.all([book(body), book({ ...body, headcount: (headcount % 4) + 1 })]);
      return;
    }
    case 'cancelOne':
    case 'cancelTenTimes': {
      const id = mine[random.between(0, 1_000) % Math.max(1, mine.length)];
      const times = habit === 'cancelOne' ? 1 : 10;
      if (!id) return;
      await Promise.all(
        Array.from({ length: times }, () => cancelBooking(router, records, name, id)),
      );
      return;
    }
    case 'cancelAtOnce': {
      const outcome = await book(bodyAt(seat.ownSlot(random)));
      if (random.chance(0.5)) await wait(random.between(0, 200));
      if (outcome.kind === 'ok') await cancelBooking(router, records, name, outcome.bookingId);
      return;
    }
    case 'read':
      await readMyPage(router, records, name);
  }
}

/** After an unknown answer a client repeats the request under the same key, or lets it be. */
async function persist(
  of: Surroundings,
  random: Random,
  key: string,
  body: Body,
): Promise<Outcome> {
  const { router, records, name } = of;
  const attempts = random.between(1, 3);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await requestBooking(router, records, name, key, body);
    if (outcome.kind !== 'unknown' || attempt >= attempts || of.isOver()) return outcome;
    await wait(random.between(50, 600));
  }
}
