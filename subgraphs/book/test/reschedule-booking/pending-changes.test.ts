import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { bookingSearch } from '../../src/adapters/booking-search.ts';
import { retryDueChanges } from '../../src/application/change-saga.ts';
import type { Booking } from '../../src/domain/booking.ts';
import type { BookingFilter } from '../../src/ports.ts';
import { kindOf, openChanges } from '../a-change.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
} from '../prisma-booking-store/booking-database.ts';

let book: BookingDatabase;
let changes: ReturnType<typeof openChanges>;

beforeAll(async () => {
  book = await openBookingDatabase();
});
beforeEach(() => {
  changes = openChanges(book);
});
afterAll(() => book?.close());
// What a test leaves pending must not be retried by another one.
afterEach(() => book.database.query('UPDATE booking_change SET next_attempt_at = NULL'));

const retry = () => retryDueChanges(changes.ports);

describe('a change whose payment is unknown', () => {
  const request = { slot: hours(10, 13), expectedDifference: 30_000 };

  async function pending() {
    const booking = await changes.registered();
    changes.payment.outcome = 'unknown';
    expect(kindOf(await changes.reschedule(booking, request))).toBe('PENDING');
    return booking;
  }
  const due = (booking: Booking) =>
    book.database.query('UPDATE booking_change SET next_attempt_at = now() WHERE booking_id = $1', [
      booking.state.id,
    ]);
  const stateOf = async ({ state }: Booking) =>
    (await changes.ports.changes.list(state.id))[0]?.state;

  test('holds both slots, and is applied when a retry is approved', async () => {
    const booking = await pending();
    expect(await changes.holds(booking)).toEqual([
      [0, 2],
      [10, 13],
    ]);
    expect(await changes.find(booking)).toMatchObject({ state: { slot: hours(0, 2) } });
    await retry();
    expect(changes.charged).toHaveLength(1);
    changes.payment.outcome = 'approved';
    await due(booking);
    await retry();
    expect(await stateOf(booking)).toBe('APPLIED');
    expect(new Set(changes.charged).size).toBe(1);
  });

  test('expires, frees the new slot and has a late charge refunded', async () => {
    const booking = await pending();
    await changes.expire(booking);
    await retry();
    expect(await stateOf(booking)).toBe('EXPIRED');
    expect(await changes.holds(booking)).toEqual([[0, 2]]);
    expect((await changes.find(booking)).state.slot).toEqual(hours(0, 2));
    expect((await changes.releases(booking)).map(({ payload }) => payload)).toEqual([
      { changeId: changes.charged[0], bookingId: booking.state.id, difference: 30_000 },
    ]);
  });

  test('is applied at its end when payment says that it was charged', async () => {
    const booking = await pending();
    changes.payment.found = 'approved';
    await changes.expire(booking);
    await retry();
    expect(await stateOf(booking)).toBe('APPLIED');
    expect(await changes.releases(booking)).toEqual([]);
  });

  test('counts as stuck while nobody ends it, and no more once it has ended', async () => {
    const booking = await pending();
    const filter = { spaceId: booking.state.spaceId, stuck: true } as BookingFilter;
    const stuck = () => bookingSearch(book.database.pool).search(filter, 10, null);
    expect(await stuck()).toEqual([]);
    await book.database.query('UPDATE booking SET deadline_at = now() WHERE id = $1', [
      booking.state.id,
    ]);
    expect(await stuck()).toHaveLength(1);
    await changes.expire(booking);
    await retry();
    expect(await stuck()).toEqual([]);
  });

  test('admits no second change', async () => {
    const booking = await pending();
    const second = await changes.reschedule(booking, { slot: hours(4, 6) });
    expect(second).toMatchObject({ type: 'BookingNotReschedulable', status: 'REGISTERED' });
  });

  test('ends with a cancellation, which refunds by the old slot and has the charge refunded', async () => {
    const booking = await pending();
    await changes.cancel(booking);
    expect(await stateOf(booking)).toBe('EXPIRED');
    expect(await changes.holds(booking)).toEqual([[0, 2]]);
    expect((await changes.find(booking)).state).toMatchObject({
      status: 'CANCELLING',
      openChange: null,
      slot: hours(0, 2),
    });
    expect(await changes.releases(booking)).toHaveLength(1);
    changes.payment.outcome = 'approved';
    await retry();
    expect((await changes.find(booking)).state.slot).toEqual(hours(0, 2));
  });

  test('ends when the previous release has cancelled the booking without it', async () => {
    const booking = await pending();
    await book.database.query(
      `UPDATE booking SET status = 'CANCELLING', version = version + 1, refund_amount = 0 WHERE id = $1`,
      [booking.state.id],
    );
    changes.payment.outcome = 'approved';
    await due(booking);
    await retry();
    expect(await stateOf(booking)).toBe('EXPIRED');
    expect(await changes.releases(booking)).toHaveLength(1);
  });
});
