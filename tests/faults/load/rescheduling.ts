import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../random.ts';
import {
  type Booked,
  quoteReschedule,
  readBooked,
  rescheduleBooking,
} from './change-operations.ts';
import type { ChangeInput, Records, RescheduleRecord } from './records.ts';
import type { RouterClient } from './router-client.ts';
import type { CustomerSlots } from './slot-plan.ts';

const MAX_HEADCOUNT = 4;
/** A booking is quoted once it is registered, usually a moment after the payment. */
const QUOTE_ATTEMPTS = 3;
const QUOTE_PAUSE_MS = 120;

/** A customer who changes a booking, and how it gets a free slot. */
export interface Rescheduling {
  name: string;
  router: RouterClient;
  records: Records;
  slots: CustomerSlots;
  bookingId: string;
  spaceId: string;
  key: string;
  /** Once it returns true, no request is repeated. */
  isOver: () => boolean;
}

/** Changes the booking once; while the outcome is unknown, repeats the request, up to three attempts in all. */
export async function rescheduleOnce(customer: Rescheduling, random: Random): Promise<void> {
  const input = await drawChange(customer, random);
  if (!input) return;
  const maxAttempts = random.between(1, 3);
  for (let attempt = 1; ; attempt += 1) {
    const { kind } = await reschedule(customer, input);
    if (kind !== 'unknown' || attempt >= maxAttempts || customer.isOver()) return;
    await wait(random.between(50, 600));
  }
}

/** Sends one change several times at once. */
export async function repeatReschedule(customer: Rescheduling, random: Random): Promise<void> {
  const input = await drawChange(customer, random);
  if (!input) return;
  const times = random.between(2, 5);
  await Promise.all(Array.from({ length: times }, () => reschedule(customer, input)));
}

/** Sends two changes under one key at once: only one of them may be made. */
export async function reuseRescheduleKey(customer: Rescheduling, random: Random): Promise<void> {
  const inputs = await Promise.all([
    drawChange(customer, random.fork('first')),
    drawChange(customer, random.fork('second')),
  ]);
  await Promise.all(inputs.map((input) => input && reschedule(customer, input)));
}

/** Sends ten changes with keys of their own at once: one is under way at a time. */
export async function rescheduleTenTimes(customer: Rescheduling, random: Random): Promise<void> {
  const changes = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const key = `${customer.key}-${index}`;
      return { key, input: await drawChange(customer, random.fork(key)) };
    }),
  );
  await Promise.all(
    changes.map(({ key, input }) => input && reschedule({ ...customer, key }, input)),
  );
}

/** Changes the booking while `cancel` cancels it. */
export async function rescheduleAndCancel(
  customer: Rescheduling,
  random: Random,
  cancel: () => Promise<void>,
): Promise<void> {
  const input = await drawChange(customer, random);
  if (!input) return;
  const cancelLater = async () => {
    await wait(random.between(0, 150));
    await cancel();
  };
  await Promise.all([reschedule(customer, input), cancelLater()]);
}

function reschedule(
  { name: customer, router, records, bookingId, key }: Rescheduling,
  input: ChangeInput,
): Promise<RescheduleRecord['outcome']> {
  return rescheduleBooking(router, records, { customer, bookingId, key, input });
}

/** A change of what is booked now, with its difference; null when there is nothing to change. */
async function drawChange(customer: Rescheduling, random: Random): Promise<ChangeInput | null> {
  const { router, name, bookingId } = customer;
  let booked = await readBooked(router, name, bookingId);
  for (let attempt = 1; booked?.status === 'PAID' && attempt < QUOTE_ATTEMPTS; attempt += 1) {
    await wait(QUOTE_PAUSE_MS);
    booked = await readBooked(router, name, bookingId);
  }
  if (booked?.status !== 'REGISTERED' && booked?.status !== 'PAID') return null;
  const { slot, headcount } = drawTarget(customer, random, booked);
  const quoted = await quoteReschedule(router, name, bookingId, {
    slot: slot ?? booked.slot,
    headcount,
  });
  // A booking that is not registered yet has no quote; the request waits for the registration.
  const difference = quoted ?? 0;
  const isWrong = random.chance(0.05);
  return { slot, headcount, expectedDifference: difference + (isWrong ? 100 : 0) };
}

function drawTarget(
  { slots, spaceId }: Rescheduling,
  random: Random,
  booked: Booked,
): Pick<ChangeInput, 'slot' | 'headcount'> {
  const headcount = (booked.headcount % MAX_HEADCOUNT) + 1;
  const what = random.weighted({ slot: 6, headcount: 2, both: 2 });
  if (what === 'headcount') return { slot: null, headcount };
  const { startAt, endAt } = slots.anotherSlot(spaceId, random);
  return { slot: { startAt, endAt }, headcount: what === 'both' ? headcount : null };
}
