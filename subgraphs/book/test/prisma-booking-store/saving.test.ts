import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Booking } from '../../src/domain/booking.ts';
import { legal, NOW } from '../a-booking.ts';
import {
  type BookingDatabase,
  HOLD_END,
  openBookingDatabase,
  tally,
  times,
} from './booking-database.ts';

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});

afterAll(() => book?.close());

describe('saving a booking', () => {
  test('a save over a newer version is refused and changes nothing', async () => {
    const booking = await book.hold();
    const paid = legal(booking.approvePayment());
    expect(await book.store.save(booking, paid)).toBe('saved');
    expect(await book.store.save(booking, legal(booking.declinePayment()), uuidv7())).toBe('stale');
    expect(await book.findState(booking)).toMatchObject(paid.state);
    expect(await book.readOutbox(booking)).toMatchObject([
      { version: 1, status: 'REQUESTED' },
      { version: 2, type: 'BookingPaid', status: 'PAID', awaiting: ['mypage', 'space'] },
    ]);
  });

  test('of twenty concurrent saves of one version exactly one succeeds', async () => {
    const booking = await book.hold();
    const outcomes = await Promise.all(
      times(20, (n) =>
        book.store.save(
          booking,
          legal(n % 2 ? booking.approvePayment() : booking.cancel('host', NOW)),
        ),
      ),
    );
    expect(tally(outcomes)).toEqual({ saved: 1, stale: 19 });
    expect(await book.readOutbox(booking)).toHaveLength(2);
  });

  test('a save for an event writes the event to the inbox', async () => {
    const booking = await book.hold();
    const eventId = uuidv7();
    expect(await book.store.findForEvent(booking.state.id, eventId)).toMatchObject({
      booking,
      isProcessed: false,
    });
    expect(await book.store.save(booking, legal(booking.approvePayment()), eventId)).toBe('saved');
    expect(await book.store.findForEvent(booking.state.id, eventId)).toMatchObject({
      isProcessed: true,
    });
    expect(await book.isInInbox(eventId)).toBe(true);
  });

  test('a save for an event that is processed already is stale and changes nothing', async () => {
    const booking = await book.hold();
    const eventId = uuidv7();
    await book.store.recordEvent(eventId);
    await book.store.recordEvent(eventId);
    expect(await book.store.save(booking, legal(booking.approvePayment()), eventId)).toBe('stale');
    expect(await book.findState(booking)).toMatchObject(booking.state);
    expect(await book.readOutbox(booking)).toHaveLength(1);
  });

  test('a stale save does not write its event to the inbox', async () => {
    const booking = await book.hold();
    await book.store.save(booking, legal(booking.approvePayment()));
    const eventId = uuidv7();
    expect(await book.store.save(booking, legal(booking.declinePayment()), eventId)).toBe('stale');
    expect(await book.isInInbox(eventId)).toBe(false);
  });

  test('a new status publishes exactly one event, and a step that keeps the status publishes none', async () => {
    const booking = await book.hold();
    const cancelling = legal(booking.cancel('customer', NOW));
    const half = legal(cancelling.completePaymentCancellation());
    const cancelled = legal(half.completeRegistrationCancellation());
    expect(await book.store.save(booking, cancelling)).toBe('saved');
    expect(await book.store.save(cancelling, half)).toBe('saved');
    expect(await book.findState(booking)).toMatchObject(half.state);
    expect(await book.store.save(half, cancelled)).toBe('saved');
    expect(await book.findState(booking)).toMatchObject(cancelled.state);
    expect(await book.readOutbox(booking)).toMatchObject([
      { version: 1, type: 'Booked' },
      { version: 2, type: 'BookingCancelled', awaiting: ['mypage', 'payment', 'space'] },
      { version: 4, type: 'BookingReleased', status: 'CANCELLED' },
    ]);
    expect(book.published.filter((event) => event.aggregateId === booking.state.id)).toHaveLength(
      3,
    );
  });
});

describe('the payment method', () => {
  const readMethods = async ({ state }: Booking) =>
    (await book.database.query('SELECT payment_method FROM booking WHERE id = $1', [state.id]))[0];

  test.each<[string, (booking: Booking) => Booking]>([
    ['is paid', (b) => legal(b.approvePayment())],
    ['is declined', (b) => legal(b.declinePayment())],
    ['expires', (b) => legal(b.expire(HOLD_END))],
    ['is cancelled', (b) => legal(b.cancel('customer', NOW))],
  ])(
    'the payment method is erased when the booking %s, and can still be compared',
    async (_name, end) => {
      const booking = await book.hold({ paymentMethod: 'pm_secret' });
      const { customerId, idempotencyKey } = booking.state;
      expect(await readMethods(booking)).toEqual({ payment_method: 'pm_secret' });
      expect(await book.store.save(booking, end(booking))).toBe('saved');
      expect(await readMethods(booking)).toEqual({ payment_method: '' });
      const found = (method: string) => book.store.findByKey(customerId, idempotencyKey, method);
      expect(await found('pm_secret')).toMatchObject({ hasPaymentMethod: true });
      expect(await found('pm_other')).toMatchObject({ hasPaymentMethod: false });
      expect(await found('')).toMatchObject({ hasPaymentMethod: false });
    },
  );

  test('the payment method stays while the payment is deferred', async () => {
    const booking = await book.hold({ paymentMethod: 'pm_secret' });
    await book.store.save(booking, legal(booking.deferPayment(NOW)));
    expect(await readMethods(booking)).toEqual({ payment_method: 'pm_secret' });
  });

  test('the payment method is erased where the previous release writes the new status', async () => {
    const booking = await book.hold({ paymentMethod: 'pm_secret' });
    await book.database.query("UPDATE booking SET status = 'PAID' WHERE id = $1", [
      booking.state.id,
    ]);
    expect(await readMethods(booking)).toEqual({ payment_method: '' });
  });

  test('the same payment method has a different digest in each booking', async () => {
    const bookings = [await book.hold(), await book.hold()];
    const digests = await book.database.query<{ digest: string }>(
      'SELECT DISTINCT payment_method_digest AS digest FROM booking WHERE id = ANY($1)',
      [bookings.map(({ state }) => state.id)],
    );
    expect(digests).toHaveLength(2);
    for (const { digest } of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
});
