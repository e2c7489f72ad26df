import { setTimeout as wait } from 'node:timers/promises';
import { orUnknown, readMyPage } from '../load/operations.ts';
import type { Records } from '../load/records.ts';
import type { RouterClient } from '../load/router-client.ts';
import type { Random } from '../random.ts';

const DAY_MS = 86_400_000;

/** What readers do, with the relative frequency; the baseline release knows all of it. */
const ACTIONS = { spaces: 30, freeSlots: 20, myPage: 25, booking: 25 } as const;

const SPACES = 'query Spaces { spaces(first: 5) { edges { node { id name } } } }';
const FREE_SLOTS = `query FreeSlots($id: ID!, $from: DateTime!, $to: DateTime!) {
  space(id: $id) { name freeSlots(from: $from, to: $to) { startAt endAt } }
}`;
const BOOKING = `query Booking($id: ID!) {
  booking(id: $id) { id status payment { status } registration { status } space { name } }
}`;

/** Reads as somebody who looks for a space, or at a booking, with a pause after each response. */
export async function actAsReader(reader: {
  random: Random;
  router: RouterClient;
  records: Records;
  /** A customer of the load, and a booking of theirs; undefined before the first. */
  drawBooking(random: Random): { customer: string; bookingId: string } | undefined;
  pauseMs: number;
  isOver: () => boolean;
}): Promise<void> {
  const { random, router, records, drawBooking, pauseMs, isOver } = reader;
  while (!isOver()) {
    const booking = drawBooking(random);
    const customer = booking?.customer ?? 'reader';
    const action = random.weighted(ACTIONS);
    // A failure is in the log of requests; the reader goes on.
    if (action === 'myPage') await readMyPage(router, records, customer);
    else if (action === 'booking' && booking)
      await orUnknown(() => router.execute(customer, BOOKING, { id: booking.bookingId }));
    else if (action === 'freeSlots') {
      const from = new Date(Date.now() + DAY_MS);
      const variables = {
        id: random.pick(records.spaces).spaceId,
        from: from.toISOString(),
        to: new Date(from.getTime() + DAY_MS).toISOString(),
      };
      await orUnknown(() => router.execute(customer, FREE_SLOTS, variables));
    } else await orUnknown(() => router.execute(customer, SPACES, {}));
    await wait(random.between(0, 2 * pauseMs));
  }
}
