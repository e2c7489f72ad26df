import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import type { TimeSlot } from '#contracts/values.ts';
import type { Consumer, ReceivedEvent } from '#platform/messaging/consumer.ts';
import { RetryLater } from '#platform/messaging/failures.ts';
import { consumeEvents } from '../src/adapters/event-consumers.ts';
import type { BookingStatus } from '../src/domain/published-booking.ts';
import { openSpaceContext, type SpaceContext } from './a-space-context.ts';

type Handler = (event: ReceivedEvent<unknown>) => Promise<void>;
/** An event with its type. */
interface Delivery {
  type: string;
  event: ReceivedEvent<unknown>;
}

let context: SpaceContext;
let spaceId: string;
const handlers = new Map<string, Handler>();

beforeAll(async () => {
  context = await openSpaceContext();
  spaceId = (await context.list()).id;
  const consumer = {
    subscribe: async (_contracts: unknown, added: Record<string, Handler>) => {
      for (const [type, handler] of Object.entries(added)) handlers.set(type, handler);
    },
  };
  await consumeEvents(consumer as unknown as Consumer, context.ports);
});

afterAll(() => context?.stop());

const START = Date.UTC(2030, 5, 3);
let usedSlots = 0;

/** A slot that no earlier test used. */
function nextSlot() {
  usedSlots += 1;
  const at = (hour: number) => new Date(START + (usedSlots * 2 + hour) * 3_600_000);
  return { startAt: at(0), endAt: at(1) };
}

/** The events that book and payment publish about one booking. */
function aBooking(slot: TimeSlot) {
  const bookingId = uuidv7();
  const paymentId = uuidv7();
  const event = (type: string, version: number, payload: object): Delivery => ({
    type,
    event: { id: uuidv7(), type, version, occurredAt: new Date(), payload },
  });
  const bookingEvent = (type: string, status: BookingStatus, version: number) =>
    event(type, version, { bookingId, spaceId, slot, status });
  return {
    bookingId,
    paymentId,
    slot,
    booked: bookingEvent('Booked', 'REQUESTED', 1),
    paid: bookingEvent('BookingPaid', 'PAID', 3),
    cancelled: bookingEvent('BookingCancelled', 'CANCELLING', 5),
    expired: bookingEvent('BookingReleased', 'EXPIRED', 3),
    approved: event('PaymentApproved', 2, { bookingId, paymentId, spaceId, slot }),
  };
}

async function isProcessed({ event }: Delivery): Promise<boolean> {
  const { database } = context;
  return (await database.query('SELECT FROM inbox WHERE event_id = $1', [event.id])).length > 0;
}

/** Delivers the events in order; those that must be retried are delivered again after all others. */
async function deliver(events: readonly Delivery[]): Promise<void> {
  let waiting = [...events];
  for (let round = 0; waiting.length > 0; round += 1) {
    if (round === 5) throw new Error(`${waiting.map(({ type }) => type)} are retried for ever`);
    const again: Delivery[] = [];
    for (const delivery of waiting) {
      await handlers.get(delivery.type)?.(delivery.event).catch(retryLater(again, delivery));
    }
    waiting = again;
  }
}

const retryLater = (again: Delivery[], delivery: Delivery) => (error: unknown) => {
  if (!(error instanceof RetryLater)) throw error;
  again.push(delivery);
};

async function deliverConcurrently(events: readonly Delivery[]): Promise<void> {
  const again: Delivery[] = [];
  await Promise.all(
    events.map((each) => handlers.get(each.type)?.(each.event).catch(retryLater(again, each))),
  );
  await deliver(again);
}

const findStatus = async ({ bookingId }: { bookingId: string }) =>
  (await context.ports.registrations.findByBooking(bookingId))?.state.status ?? null;
const publishedTypes = async ({ bookingId }: { bookingId: string }) =>
  (
    await context.database.query<{ type: string }>(
      `SELECT type FROM outbox WHERE payload->>'bookingId' = $1 ORDER BY version`,
      [bookingId],
    )
  ).map(({ type }) => type);

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length === 0) yield [];
  for (const [index, first] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [first as T, ...rest];
  }
}

/** Writes what an earlier release wrote, which registered on the approval alone. */
async function registerByOldRelease(booking: ReturnType<typeof aBooking>): Promise<void> {
  const { bookingId, slot } = booking;
  const { startAt, endAt } = slot;
  await context.database.query(
    `INSERT INTO registration (id, booking_id, payment_id, space_id, start_at, end_at, status,
            version, registered_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'REGISTERED', 1, now())`,
    [uuidv7(), bookingId, booking.paymentId, spaceId, startAt, endAt],
  );
  await context.database.query(
    `INSERT INTO occupied_slot (booking_id, space_id, start_at, end_at, live, version)
     VALUES ($1, $2, $3, $4, TRUE, 1)`,
    [bookingId, spaceId, startAt, endAt],
  );
}

describe('the fence against bookings that lost their slot', () => {
  test('a booking that lost its slot never wins over its holder, in any order of their events', async () => {
    const slots = Array.from({ length: 720 }, nextSlot);
    for (const order of permutations([0, 1, 2, 3, 4, 5])) {
      const slot = slots.pop() ?? nextSlot();
      const lost = aBooking(slot);
      const holder = aBooking(slot);
      const events = [
        ...[lost.booked, lost.approved, lost.expired],
        ...[holder.booked, holder.paid, holder.approved],
      ];
      await deliver(order.map((index) => events[index] as Delivery));
      const outcome = { order, lost: await findStatus(lost), holder: await findStatus(holder) };
      expect(outcome).toEqual({ order, lost: 'CANCELLED', holder: 'REGISTERED' });
    }
    expect(slots).toEqual([]);
  }, 120_000);

  test('a booking that lost its slot never wins with duplicate, late and concurrent events', async () => {
    const picks = fc.array(fc.nat({ max: 5 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(picks, fc.boolean(), async (extra, isConcurrent) => {
        const slot = nextSlot();
        const lost = aBooking(slot);
        const holder = aBooking(slot);
        const all = [
          ...[lost.booked, lost.approved, lost.expired],
          ...[holder.booked, holder.paid, holder.approved],
        ];
        const events = [...extra.map((index) => all[index] as Delivery), ...all];
        await (isConcurrent ? deliverConcurrently(events) : deliver(events));
        expect([await findStatus(lost), await findStatus(holder)]).toEqual([
          'CANCELLED',
          'REGISTERED',
        ]);
        expect(await publishedTypes(lost)).toEqual(['RegistrationCancelled']);
        expect(await publishedTypes(holder)).toEqual(['Registered']);
        expect(await Promise.all(all.map(isProcessed))).toEqual(all.map(() => true));
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test('a booking that an earlier release registered makes the holder wait, and never has it rejected', async () => {
    for (const order of permutations([0, 1, 2, 3])) {
      const slot = nextSlot();
      const lost = aBooking(slot);
      const holder = aBooking(slot);
      await registerByOldRelease(lost);
      const events = [lost.expired, holder.booked, holder.paid, holder.approved];
      await deliver(order.map((index) => events[index] as Delivery));
      const outcome = { order, lost: await findStatus(lost), holder: await findStatus(holder) };
      expect(outcome).toEqual({ order, lost: 'CANCELLED', holder: 'REGISTERED' });
      expect(await publishedTypes(holder)).toEqual(['Registered']);
    }
  });
});

describe('the registration of a paid booking', () => {
  test('a paid booking is registered by the later of the two events, also when they are concurrent', async () => {
    for (let round = 0; round < 40; round += 1) {
      const booking = aBooking(nextSlot());
      const events = [booking.paid, booking.approved];
      await deliverConcurrently(round % 2 ? events : events.toReversed());
      expect(await findStatus(booking)).toBe('REGISTERED');
      expect(await publishedTypes(booking)).toEqual(['Registered']);
    }
  });

  test.each([
    ['book alone', (booking: ReturnType<typeof aBooking>) => [booking.booked, booking.paid]],
    ['payment alone', (booking: ReturnType<typeof aBooking>) => [booking.booked, booking.approved]],
  ])(
    'a booking is not registered by events of %s, which are processed',
    async (_name, eventsOf) => {
      const booking = aBooking(nextSlot());
      await deliver(eventsOf(booking));
      expect(await findStatus(booking)).toBeNull();
      expect(await Promise.all(eventsOf(booking).map(isProcessed))).toEqual([true, true]);
    },
  );

  test('a cancelled booking is cancelled once and occupies nothing, in any order of its events', async () => {
    for (const order of permutations([0, 1, 2, 3])) {
      const booking = aBooking(nextSlot());
      const events = [booking.booked, booking.paid, booking.approved, booking.cancelled];
      await deliver(order.map((index) => events[index] as Delivery));
      expect({ order, status: await findStatus(booking) }).toEqual({ order, status: 'CANCELLED' });
      const published = await publishedTypes(booking);
      expect(published.filter((type) => type === 'RegistrationCancelled')).toHaveLength(1);
      const [occupied] = await context.database.query<{ live: boolean; version: number }>(
        'SELECT live, version, status FROM occupied_slot WHERE booking_id = $1',
        [booking.bookingId],
      );
      expect(occupied).toEqual({ live: false, version: 5, status: 'CANCELLING' });
    }
  }, 60_000);

  test('a slot is released in the transaction that cancels its registration', async () => {
    const booking = aBooking(nextSlot());
    await deliver([booking.paid, booking.approved, booking.cancelled]);
    const transactions = await context.database.query(
      `SELECT xmin::text FROM registration WHERE booking_id = $1
       UNION SELECT xmin::text FROM occupied_slot WHERE booking_id = $1
       UNION SELECT xmin::text FROM inbox WHERE event_id = $2`,
      [booking.bookingId, booking.cancelled.event.id],
    );
    expect(transactions).toHaveLength(1);
  });

  test('a paid booking is rejected if another paid booking is registered for its slot', async () => {
    const slot = nextSlot();
    const first = aBooking(slot);
    const second = aBooking(slot);
    await deliver([first.paid, first.approved, second.paid, second.approved]);
    expect(await findStatus(first)).toBe('REGISTERED');
    expect(await publishedTypes(second)).toEqual(['RegistrationRejected']);
  });
});
