import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Booking } from '../../src/domain/booking.ts';
import {
  ANY_SLOT,
  aBooking,
  aSpace,
  HOLD_SECONDS,
  legal,
  NOW,
  secondsAfter,
} from '../a-booking.ts';
import {
  type BookingDatabase,
  bookingElsewhere,
  openBookingDatabase,
  tally,
  times,
} from './booking-database.ts';

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});

afterAll(() => book?.close());

describe('claiming unpaid bookings', () => {
  const makeDue = () =>
    book.database.query('UPDATE booking SET next_payment_attempt_at = now() WHERE live');
  const ids = (claimed: Awaited<ReturnType<typeof book.store.claimExpiring>>) =>
    claimed.map(({ booking }) => booking.state.id).sort();

  test('each due booking is leased to one of several concurrent claims, within their limits, until the lease ends', async () => {
    await book.database.query('DELETE FROM booking');
    const due = await Promise.all(times(24, () => book.hold()));
    const [paid, ...unpaid] = due as [Booking, ...Booking[]];
    await book.store.save(paid, legal(paid.approvePayment()));
    const unpaidIds = unpaid.map(({ state }) => state.id).sort();
    await makeDue();
    const claims = await Promise.all(times(3, () => book.store.claimExpiring(10, 'all')));
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(10);
    const rest = await book.store.claimExpiring(50, 'all');
    expect(ids([...claims.flat(), ...rest])).toEqual(unpaidIds);
    expect(await book.store.claimExpiring(50, 'all')).toEqual([]);

    await makeDue();
    const again = await book.store.claimExpiring(50, 'all');
    expect(ids(again)).toEqual(unpaidIds);
    for (const { booking, now } of again) {
      expect(booking.state).toMatchObject({ paymentAttempts: 3, version: 1, status: 'REQUESTED' });
      const lease = (booking.state.nextPaymentAttemptAt?.getTime() ?? 0) - now.getTime();
      expect(Math.abs(lease - 10_000)).toBeLessThanOrEqual(1);
    }
  });

  test('a claim finds no booking before it is due, and only expired holds where it is limited to those', async () => {
    await book.database.query('DELETE FROM booking');
    const [expired] = [await book.hold(), await book.hold()];
    expect(await book.store.claimExpiring(50, 'all')).toEqual([]);
    await makeDue();
    await book.endHold(expired);
    expect(ids(await book.store.claimExpiring(50, 'expired'))).toEqual([expired.state.id]);
  });

  test('a claim skips bookings that another transaction has locked, without waiting', async () => {
    await book.database.query('DELETE FROM booking');
    const [busy, idle] = [await book.hold(), await book.hold()];
    await makeDue();
    const claimed = await book.database.whileLocked(
      `SELECT FROM booking WHERE id = '${busy.state.id}' FOR UPDATE`,
      () => book.store.claimExpiring(10, 'all'),
    );
    expect(ids(claimed)).toEqual([idle.state.id]);
  });
});

describe('the limit of unpaid holds', () => {
  const LIMIT = 5;
  const aCustomer = () => ({ customerId: `customer-${uuidv7()}` });
  const countUnpaid = async (customerId: string) =>
    (
      await book.database.query(
        `SELECT FROM booking
          WHERE customer_id = $1 AND status IN ('REQUESTED', 'PAYMENT_DEFERRED')
            AND hold_expires_at > now()`,
        [customerId],
      )
    ).length;

  test('the limit of unpaid holds refuses all but five of forty concurrent requests of one customer', async () => {
    const by = aCustomer();
    const outcomes = await Promise.all(times(40, () => book.insert(bookingElsewhere(by), LIMIT)));
    expect(tally(outcomes)).toEqual({ held: LIMIT, 'too-many': 35 });
    expect(await countUnpaid(by.customerId)).toBe(LIMIT);
  });

  test('the limit of unpaid holds applies to requests that each release an expired hold', async () => {
    const by = aCustomer();
    const stale = await Promise.all(times(10, () => book.hold()));
    for (const hold of stale) await book.endHold(hold, 60);
    const outcomes = await Promise.all(
      stale.map(({ state }) =>
        book.insert(bookingElsewhere({ ...by, spaceId: state.spaceId }), LIMIT),
      ),
    );
    expect(tally(outcomes)).toEqual({ held: LIMIT, 'too-many': 5 });
    expect(await countUnpaid(by.customerId)).toBe(LIMIT);
  });

  test('the limit of unpaid holds counts no paid, final or expired booking, and none of another customer', async () => {
    const by = aCustomer();
    const holds = await Promise.all(times(LIMIT, () => book.hold(by)));
    const [paid, declined, cancelled, expired] = holds as [Booking, Booking, Booking, Booking];
    expect(await book.insert(bookingElsewhere(by), LIMIT)).toBe('too-many');
    expect(await book.insert(bookingElsewhere(aCustomer()), LIMIT)).toBe('held');
    await book.store.save(paid, legal(paid.approvePayment()));
    await book.store.save(declined, legal(declined.declinePayment()));
    await book.store.save(cancelled, legal(cancelled.cancel('customer', NOW)));
    await book.endHold(expired);
    const outcomes = await Promise.all(times(10, () => book.insert(bookingElsewhere(by), LIMIT)));
    expect(tally(outcomes)).toEqual({ held: 4, 'too-many': 6 });
  });

  test('a repeated request is recognised by its key also when the customer has reached the limit', async () => {
    const by = aCustomer();
    const [first] = await Promise.all(times(LIMIT, () => book.hold(by)));
    const { idempotencyKey } = (first as Booking).state;
    expect(await book.insert(bookingElsewhere({ ...by, idempotencyKey }), LIMIT)).toBe('key-used');
  });
});

const farAhead = aSpace({ bookingRules: ANY_SLOT });

describe('a replica whose clock is wrong', () => {
  const HOUR = 3_600;
  test.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])(
    'a replica whose clock is %s by an hour writes holds of the usual length',
    async (_name, seconds) => {
      const wrong = secondsAfter(new Date(), seconds);
      const booking = aBooking({ spaceId: uuidv7() }, { space: farAhead, now: wrong });
      expect(await book.insert(booking)).toBe('held');
      const [row] = await book.database.query<{ left: number; first: number }>(
        `SELECT extract(epoch FROM hold_expires_at - now())::float AS left,
              extract(epoch FROM next_payment_attempt_at - requested_at)::float AS first
         FROM booking WHERE id = $1`,
        [booking.state.id],
      );
      expect(row?.first).toBe(5);
      expect(row?.left).toBeGreaterThan(HOLD_SECONDS - 60);
      expect(row?.left).toBeLessThanOrEqual(HOLD_SECONDS);
    },
  );

  test.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])(
    'a replica whose clock is %s by an hour neither releases a live hold nor keeps a stale one',
    async (_name, seconds) => {
      const wrong = secondsAfter(new Date(), seconds);
      const spaceId = uuidv7();
      const holder = await book.hold({ spaceId });
      const rival = () => aBooking({ spaceId }, { space: farAhead, now: wrong });
      expect(await book.insert(rival())).toBe('overlap');
      expect(await book.findState(holder)).toMatchObject({ status: 'REQUESTED' });
      await book.endHold(holder);
      expect(await book.insert(rival())).toBe('held');
      expect(await book.findState(holder)).toMatchObject({ status: 'EXPIRED' });
    },
  );
});
