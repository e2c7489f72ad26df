import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { PrismaPg } from '@prisma/adapter-pg';
import { v7 as uuidv7 } from 'uuid';
import { archiveAcknowledged } from '#platform/messaging/archive.ts';
import { PrismaClient } from '#prisma/book/generated/client.ts';
import { createDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { overdueBookings } from '../src/adapters/overdue-bookings.ts';
import { prismaBookingStore } from '../src/adapters/prisma-booking-store.ts';
import { registered, registrationCancelled } from '../src/application/booking-saga.ts';
import { checkOverdue } from '../src/application/check-overdue.ts';
import type { Booking } from '../src/domain/booking.ts';
import type { BookingStore, BookPorts, SagaInquiries } from '../src/ports.ts';
import { aBooking, legal, MANY_HOLDS, NOW } from './a-booking.ts';

type Registration = Awaited<ReturnType<SagaInquiries['findRegistrationStatus']>>;

let database: TestDatabase;
let prisma: PrismaClient;
let store: BookingStore;
let ports: BookPorts;
/** What payment and space respond; an error: nothing. */
let isPaymentClosed: boolean | Error = false;
let registration: Registration | Error = 'unknown';

beforeAll(async () => {
  database = await createDatabase('book');
  prisma = new PrismaClient({ adapter: new PrismaPg(database.pool) });
  store = prismaBookingStore(prisma, database.pool, { publish: () => {} });
  const respond = async <T>(response: T | Error): Promise<T> => {
    if (response instanceof Error) throw response;
    return response;
  };
  ports = {
    bookings: store,
    overdue: overdueBookings(database.pool),
    inquiries: {
      isPaymentClosed: () => respond(isPaymentClosed),
      findRegistrationStatus: () => respond(registration),
    },
    resume: (_booking: Booking, work: () => Promise<void>) => work(),
    log: () => {},
  } as unknown as BookPorts;
});

beforeEach(async () => {
  await database.query('TRUNCATE booking, booking_change, slot_hold, outbox, event_archive, inbox');
  isPaymentClosed = false;
  registration = 'unknown';
});

afterAll(async () => {
  await prisma?.$disconnect();
  await database?.drop();
});

async function paid(): Promise<Booking> {
  const by = { userId: 'chulsoo', role: 'customer' } as const;
  const requested = await store.insert(aBooking({ spaceId: uuidv7() }), MANY_HOLDS, by);
  if (typeof requested === 'string') throw new Error(requested);
  const booking = legal(requested.approvePayment());
  expect(await store.save(requested, booking)).toBe('saved');
  return booking;
}

async function cancelling(): Promise<Booking> {
  const before = await paid();
  const booking = legal(before.cancel('customer', NOW));
  expect(await store.save(before, booking)).toBe('saved');
  return booking;
}

const makeDue = () =>
  database.query("UPDATE booking SET next_check_at = now() - interval '1 second'");
const readState = async ({ state }: Booking) => (await store.find(state.id))?.state;
/** All consumers have acknowledged everything. */
const acknowledgeAll = () => database.query("UPDATE outbox SET awaiting = '{}'");
const readAwaiting = async ({ state }: Booking) =>
  (
    await database.query<{ awaiting: string[] }>(
      `SELECT ARRAY(SELECT unnest(awaiting) ORDER BY 1) AS awaiting FROM outbox
        WHERE aggregate_id = $1 ORDER BY version DESC LIMIT 1`,
      [state.id],
    )
  )[0]?.awaiting;
const readDeadline = async ({ state }: Booking) =>
  (
    await database.query(
      `SELECT round(extract(epoch FROM deadline_at - status_since))::int AS deadline,
              round(extract(epoch FROM next_check_at - status_since))::int AS check, checks
         FROM booking WHERE id = $1`,
      [state.id],
    )
  )[0];

describe('the deadline of a booking', () => {
  test('the deadline is written with the status, in every pending status and in no other', async () => {
    const booking = await paid();
    expect(await readDeadline(booking)).toEqual({ deadline: 600, check: 30, checks: 0 });
    const confirmed = legal(booking.confirm());
    await store.save(booking, confirmed);
    expect(await readDeadline(booking)).toEqual({ deadline: null, check: null, checks: 0 });
    await store.save(confirmed, legal(confirmed.cancel('customer', NOW)));
    expect(await readDeadline(booking)).toEqual({ deadline: 600, check: 30, checks: 0 });
  });

  test('the deadline is written where the previous release writes the status', async () => {
    const booking = await paid();
    await database.query("UPDATE booking SET status = 'CANCELLING', version = 9 WHERE id = $1", [
      booking.state.id,
    ]);
    expect(await readDeadline(booking)).toEqual({ deadline: 600, check: 30, checks: 0 });
  });

  test('the deadline of an unpaid booking is five minutes after its hold ends', async () => {
    const by = { userId: 'chulsoo', role: 'customer' } as const;
    const booking = await store.insert(aBooking({ spaceId: uuidv7() }), MANY_HOLDS, by);
    if (typeof booking === 'string') throw new Error(booking);
    expect(await readDeadline(booking)).toEqual({ deadline: 900 + 300, check: null, checks: 0 });
  });
});

describe('the check of overdue bookings', () => {
  test('a check leaves bookings alone that are not due', async () => {
    registration = 'registered';
    const booking = await paid();
    expect(await checkOverdue(ports)).toBe(0);
    expect(await readState(booking)).toMatchObject({ status: 'PAID' });
  });

  test.each<[Registration, string]>([
    ['registered', 'REGISTERED'],
    ['rejected', 'CANCELLING'],
  ])('a check moves a paid booking whose use is %s to %s', async (response, status) => {
    const booking = await paid();
    registration = response;
    await makeDue();
    expect(await checkOverdue(ports)).toBe(1);
    expect(await readState(booking)).toMatchObject({ status });
  });

  test('a check completes a cancellation that both contexts have completed', async () => {
    const booking = await cancelling();
    isPaymentClosed = true;
    registration = 'cancelled';
    await makeDue();
    await checkOverdue(ports);
    expect(await readState(booking)).toMatchObject({ status: 'CANCELLED' });
  });

  test('a check releases the slot although payment does not respond', async () => {
    const booking = await cancelling();
    isPaymentClosed = new Error('payment is down');
    registration = 'cancelled';
    await makeDue();
    await checkOverdue(ports);
    expect(await readState(booking)).toMatchObject({
      status: 'CANCELLING',
      registrationCancelled: true,
    });
  });

  test('a check changes nothing while no context responds, and is repeated at growing intervals', async () => {
    const booking = await paid();
    registration = new Error('space is down');
    for (const seconds of [30, 60, 120, 240, 300, 300]) {
      await makeDue();
      expect(await checkOverdue(ports)).toBe(1);
      const [row] = await database.query<{ seconds: number }>(
        'SELECT round(extract(epoch FROM next_check_at - now()))::int AS seconds FROM booking',
      );
      expect(row?.seconds).toBeGreaterThan(seconds - 20);
      expect(row?.seconds).toBeLessThanOrEqual(seconds);
      expect(await checkOverdue(ports)).toBe(0);
    }
    expect(await readState(booking)).toEqual(booking.state);
  });

  test('a check redelivers the last event to all consumers where payment and space report nothing', async () => {
    const booking = await cancelling();
    await acknowledgeAll();
    await makeDue();
    await checkOverdue(ports);
    expect(await readAwaiting(booking)).toEqual(['mypage', 'payment', 'space']);
    expect(await readState(booking)).toEqual(booking.state);
  });

  test('a check redelivers an archived event and removes it from the archive', async () => {
    const booking = await cancelling();
    await acknowledgeAll();
    const range = {
      after: '00000000-0000-0000-0000-000000000000',
      before: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    };
    expect(await archiveAcknowledged(database.pool, range, 10)).toMatchObject({ moved: 3 });
    await makeDue();
    await checkOverdue(ports);
    expect(await readAwaiting(booking)).toEqual(['mypage', 'payment', 'space']);
    await acknowledgeAll();
    expect(await archiveAcknowledged(database.pool, range, 10)).toMatchObject({ moved: 1 });
  });

  test('concurrent checks check each booking once', async () => {
    await Promise.all(Array.from({ length: 20 }, paid));
    await makeDue();
    const checked = await Promise.all(Array.from({ length: 6 }, () => checkOverdue(ports)));
    expect(checked.reduce((sum, each) => sum + each, 0)).toBe(20);
  });

  test('a check and a concurrent event have one effect', async () => {
    for (let round = 0; round < 20; round += 1) {
      const booking = await paid();
      registration = 'registered';
      await makeDue();
      const event = { id: uuidv7(), bookingId: booking.state.id };
      await Promise.all([checkOverdue(ports), registered(ports, event), registered(ports, event)]);
      expect(await readState(booking)).toMatchObject({ status: 'REGISTERED', version: 3 });
    }
  });

  test('a late event has no effect after a check has applied the same step', async () => {
    const booking = await cancelling();
    isPaymentClosed = true;
    registration = 'cancelled';
    await makeDue();
    await checkOverdue(ports);
    const after = await readState(booking);
    await registrationCancelled(ports, { id: uuidv7(), bookingId: booking.state.id });
    expect(await readState(booking)).toEqual(after);
  });
});
