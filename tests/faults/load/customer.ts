import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { cancelBooking, readMyPage, requestBooking } from './operations.ts';
import type { BookingInput, Outcome, Records } from './records.ts';
import {
  type Rescheduling,
  repeatReschedule,
  rescheduleAndCancel,
  rescheduleOnce,
  rescheduleTenTimes,
  reuseRescheduleKey,
} from './rescheduling.ts';
import type { RouterClient } from './router-client.ts';
import type { CustomerSlots, Slot } from './slot-plan.ts';

/** What customers do, with the relative frequency. */
const ACTIONS = {
  bookHotSlot: 24,
  bookOwnSlot: 26,
  bookAdjacentSlots: 8,
  bookForApproval: 12,
  repeatRequest: 8,
  reuseKey: 4,
  cancelOnce: 12,
  cancelTenTimes: 3,
  bookAndCancel: 9,
  readMyPage: 8,
} as const;

/** What customers do of a release that can change bookings, beside the actions above. */
const CHANGING_ACTIONS = {
  reschedule: 26,
  repeatReschedule: 5,
  reuseRescheduleKey: 3,
  rescheduleTenTimes: 4,
  rescheduleAndCancel: 6,
} as const;

const PAYMENT_METHODS = {
  pm_ok: 73,
  pm_declined: 6,
  pm_slow: 3,
  pm_timeout_paid: 5,
  pm_timeout_unpaid: 5,
  pm_busy: 5,
  pm_refund_slow: 3,
} as const;

/** Approves the booking, and declines what a change costs more. */
const CHANGING_PAYMENT_METHODS = { pm_declined_later: 12 } as const;

interface Customer {
  name: string;
  random: Random;
  router: RouterClient;
  records: Records;
  slots: CustomerSlots;
  /** Whether it changes bookings: the baseline of an upgrade cannot. */
  changesBookings: boolean;
  /** How long it pauses between actions, relative to 40 to 320 ms. */
  pauseFactor?: number;
  /** Once it returns true, no new action begins. */
  isOver: () => boolean;
}

/** A booking that a customer may cancel or change. */
type OwnBooking = Pick<Rescheduling, 'bookingId' | 'spaceId'>;

/** Books, changes, cancels and reads, one action after another, until the load is over. */
export async function actAsCustomer(customer: Customer): Promise<void> {
  const bookings: OwnBooking[] = [];
  const { pauseFactor = 1 } = customer;
  for (let turn = 0; !customer.isOver(); turn += 1) {
    // A fork for each turn: the outcome of one turn does not change what the next one draws.
    const random = customer.random.fork(`turn ${turn}`);
    await act(customer, random, `${customer.name}-${turn}`, bookings);
    await wait(random.between(40, 320) * pauseFactor);
  }
}

async function act(
  customer: Customer,
  random: Random,
  key: string,
  bookings: OwnBooking[],
): Promise<void> {
  const { slots, changesBookings } = customer;
  const action = random.weighted(changesBookings ? { ...ACTIONS, ...CHANGING_ACTIONS } : ACTIONS);
  const paymentMethod = random.weighted(
    changesBookings ? { ...PAYMENT_METHODS, ...CHANGING_PAYMENT_METHODS } : PAYMENT_METHODS,
  );
  const headcount = random.between(1, 4);
  const book = async (input: BookingInput, ownKey = key) => {
    const outcome = await requestWithRetries(customer, random.fork(ownKey), ownKey, input);
    if (outcome.kind === 'ok') {
      bookings.push({ bookingId: outcome.bookingId, spaceId: input.spaceId });
    }
    return outcome;
  };
  const inputFor = (slot: Slot): BookingInput => ({ ...slot, headcount, paymentMethod });
  const drawBooking = () => bookings[random.between(0, 1_000) % Math.max(1, bookings.length)];

  switch (action) {
    case 'bookHotSlot':
      await book(inputFor(slots.hotSlot(random)));
      return;
    case 'bookOwnSlot':
      await book(inputFor(slots.ownSlot(random)));
      return;
    case 'bookForApproval':
      await book(inputFor(slots.approvalSlot(random)));
      return;
    case 'bookAdjacentSlots':
      // Adjacent slots touch but do not overlap: all three must succeed.
      await Promise.all(
        slots.adjacentSlots().map((slot, index) => book(inputFor(slot), `${key}-${index}`)),
      );
      return;
    case 'repeatRequest': {
      const input = inputFor(slots.hotSlot(random));
      const times = random.between(2, 5);
      await Promise.all(Array.from({ length: times }, () => book(input)));
      return;
    }
    case 'reuseKey': {
      const input = inputFor(slots.ownSlot(random));
      await Promise.all([book(input), book({ ...input, headcount: (headcount % 4) + 1 })]);
      return;
    }
    case 'cancelOnce':
    case 'cancelTenTimes': {
      const id = drawBooking()?.bookingId;
      const times = action === 'cancelOnce' ? 1 : 10;
      if (id) await Promise.all(Array.from({ length: times }, () => cancel(customer, id)));
      return;
    }
    case 'bookAndCancel': {
      const outcome = await book(inputFor(slots.ownSlot(random)));
      if (random.chance(0.5)) await wait(random.between(0, 200));
      if (outcome.kind === 'ok') await cancel(customer, outcome.bookingId);
      return;
    }
    case 'readMyPage':
      await readMyPage(customer.router, customer.records, customer.name);
      return;
    default: {
      const booking = drawBooking();
      if (booking) await change({ ...customer, ...booking, key }, random, action);
    }
  }
}

/** Changes a booking in one of the ways of {@link CHANGING_ACTIONS}. */
async function change(
  customer: Customer & Rescheduling,
  random: Random,
  action: keyof typeof CHANGING_ACTIONS,
): Promise<void> {
  switch (action) {
    case 'reschedule':
      return rescheduleOnce(customer, random);
    case 'repeatReschedule':
      return repeatReschedule(customer, random);
    case 'reuseRescheduleKey':
      return reuseRescheduleKey(customer, random);
    case 'rescheduleTenTimes':
      return rescheduleTenTimes(customer, random);
    case 'rescheduleAndCancel':
      return rescheduleAndCancel(customer, random, () => cancel(customer, customer.bookingId));
  }
}

function cancel({ router, records, name }: Customer, bookingId: string): Promise<void> {
  return cancelBooking(router, records, name, bookingId);
}

/** While the outcome is unknown, repeats the request under the same key, up to three attempts in all. */
async function requestWithRetries(
  customer: Customer,
  random: Random,
  key: string,
  input: BookingInput,
): Promise<Outcome> {
  const { router, records, name } = customer;
  const maxAttempts = random.between(1, 3);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await requestBooking(router, records, name, key, input);
    const isLast = attempt >= maxAttempts || customer.isOver();
    if (outcome.kind !== 'unknown' || isLast) return outcome;
    await wait(random.between(50, 600));
  }
}
