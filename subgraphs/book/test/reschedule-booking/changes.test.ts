import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { registrationMoved } from '../../src/application/change-saga.ts';
import { requestBooking } from '../../src/application/request-booking.ts';
import type { Booking } from '../../src/domain/booking.ts';
import { ANY_SLOT, aRequest } from '../a-booking.ts';
import { elsewhere, kindOf, openChanges } from '../a-change.ts';
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

const moved = async (booking: Booking) => {
  const { id, version } = (await changes.find(booking)).state;
  await registrationMoved(changes.ports, { id: uuidv7(), bookingId: id }, version);
};

describe('a change of a booking', () => {
  test('to a dearer slot charges the difference, and holds the old slot until the registration has moved', async () => {
    const booking = await changes.registered();
    const result = await changes.reschedule(booking, {
      slot: hours(10, 13),
      expectedDifference: 30_000,
    });
    expect(kindOf(result)).toBe('APPLIED');
    const { state } = await changes.find(booking);
    expect(state).toMatchObject({
      status: 'REGISTERED',
      slot: hours(10, 13),
      price: { amount: 90_000, currency: 'KRW' },
      openChange: { appliedIn: state.version },
    });
    expect(changes.charged).toHaveLength(1);
    expect(await changes.holds(booking)).toEqual([
      [0, 2],
      [10, 13],
    ]);
    expect(await book.insert(elsewhere(booking, 0, 2))).toBe('overlap');
    const [event] = (await book.readOutbox(booking)).slice(-1);
    expect(event).toMatchObject({
      type: 'BookingRescheduled',
      awaiting: ['mypage', 'payment', 'space'],
    });

    await moved(booking);
    expect(await changes.holds(booking)).toEqual([[10, 13]]);
    expect((await changes.find(booking)).state.openChange).toBeNull();
    expect(await book.insert(elsewhere(booking, 0, 2))).toBe('held');
  });

  test('to a slot that overlaps with its own takes no notice of the old hold', async () => {
    const booking = await changes.registered();
    expect(kindOf(await changes.reschedule(booking, { slot: hours(1, 3) }))).toBe('APPLIED');
    expect(await changes.holds(booking)).toEqual([
      [0, 2],
      [1, 3],
    ]);
    await moved(booking);
    expect(await changes.holds(booking)).toEqual([[1, 3]]);
  });

  test('to a cheaper use reserves the difference, charges nothing, and its event says what is refunded', async () => {
    const booking = await changes.registered();
    const request = { slot: hours(0, 1), expectedDifference: -30_000 };
    expect(kindOf(await changes.reschedule(booking, request))).toBe('APPLIED');
    expect([changes.charged.length, changes.reserved.length]).toEqual([0, 1]);
    const [{ payload } = { payload: null }] = await book.database.query<{ payload: object | null }>(
      `SELECT payload FROM outbox WHERE aggregate_id = $1 AND type = 'BookingRescheduled'`,
      [booking.state.id],
    );
    expect(payload).toMatchObject({
      price: { amount: 30_000 },
      change: { difference: -30_000 },
      refund: { amount: 0 },
    });
  });

  test('to a cheaper use is refused where refunds that are under way leave less', async () => {
    const booking = await changes.registered();
    changes.payment.outcome = 'declined';
    const request = { slot: hours(0, 1), expectedDifference: -30_000 };
    expect(await changes.reschedule(booking, request)).toMatchObject({
      type: 'BookingNotReschedulable',
      message: expect.stringContaining('Refunds that are under way'),
    });
    expect((await changes.find(booking)).state.slot).toEqual(hours(0, 2));
  });

  test('is not applied once the use of a slot has begun, and its charge is refunded', async () => {
    const booking = await changes.registered();
    const { slot } = booking.state;
    changes.payment.meanwhile = async () => {
      const now = new Date(slot.startAt.getTime());
      changes.ports.bookings = { ...changes.ports.bookings, now: async () => now };
    };
    const result = await changes.reschedule(booking, {
      slot: hours(10, 13),
      expectedDifference: 30_000,
    });
    expect(kindOf(result)).toBe('EXPIRED');
    expect((await changes.find(booking)).state.slot).toEqual(slot);
    expect(await changes.releases(booking)).toHaveLength(1);
  });

  test('counts among the unpaid holds of its customer while it is pending', async () => {
    changes.ports.maxUnpaidHolds = 1;
    changes.payment.outcome = 'unknown';
    const [one, other] = [await changes.registered(), await changes.registered()];
    for (const { state } of [one, other]) {
      await book.database.query('UPDATE booking SET customer_id = $1 WHERE id = $2', [
        'dalia',
        state.id,
      ]);
    }
    const request = { slot: hours(10, 13), expectedDifference: 30_000 };
    expect(kindOf(await changes.reschedule(one, request, 'dalia'))).toBe('PENDING');
    expect(await changes.reschedule(other, request, 'dalia')).toMatchObject({
      type: 'BookingNotReschedulable',
      message: expect.stringContaining('1 slots'),
    });
    await changes.expire(one);
    expect(kindOf(await changes.reschedule(other, request, 'dalia'))).toBe('PENDING');
  });

  test('of the headcount alone keeps slot, buffers and refund tiers, whatever the rules are now', async () => {
    const booking = await changes.registered({
      space: {
        includedHeadcount: 2,
        extraPersonHourlyRate: 1_000,
        bookingRules: { ...ANY_SLOT, bufferAfterMinutes: 60 },
      },
    });
    const { ports } = changes;
    const space = await ports.catalogue.find(booking.state.spaceId);
    Object.assign(space as object, {
      bookingRules: { ...ANY_SLOT, minMinutes: 300, bufferAfterMinutes: 0 },
      refundTiers: [],
    });
    const result = await changes.reschedule(booking, { headcount: 4, expectedDifference: 4_000 });
    expect(kindOf(result)).toBe('APPLIED');
    await moved(booking);
    expect((await changes.find(booking)).state).toMatchObject({
      headcount: 4,
      bufferAfterMinutes: 60,
      refundTiers: booking.state.refundTiers,
    });
    expect(await changes.holds(booking)).toEqual([[0, 3]]);
  });

  test('that is declined leaves the booking exactly as it was', async () => {
    const booking = await changes.registered();
    changes.payment.outcome = 'declined';
    const request = { slot: hours(10, 13), expectedDifference: 30_000, idempotencyKey: 'k' };
    expect(kindOf(await changes.reschedule(booking, request))).toBe('PaymentDeclined');
    const { version, ...after } = (await changes.find(booking)).state;
    expect(after).toEqual({ ...booking.state, version: undefined });
    expect(version).toBeGreaterThan(booking.state.version);
    expect(await changes.holds(booking)).toEqual([[0, 2]]);
    expect(await changes.releases(booking)).toEqual([]);
    expect(kindOf(await changes.reschedule(booking, request))).toBe('PaymentDeclined');
    expect(changes.charged).toHaveLength(1);
  });

  test('whose slot is occupied is refused with alternatives, and charges nothing', async () => {
    const booking = await changes.registered();
    expect(await book.insert(elsewhere(booking, 11, 12))).toBe('held');
    const result = await changes.reschedule(booking, {
      slot: hours(10, 13),
      expectedDifference: 30_000,
    });
    expect(result).toMatchObject({ type: 'SlotUnavailable', alternatives: expect.any(Array) });
    expect((await changes.find(booking)).state).toEqual(booking.state);
    expect(changes.charged).toEqual([]);
  });

  test('to a slot whose hold has expired releases that hold', async () => {
    const booking = await changes.registered();
    const rival = elsewhere(booking, 11, 12);
    expect(await book.insert(rival)).toBe('held');
    await book.endHold(rival);
    const request = { slot: hours(10, 12) };
    expect(kindOf(await changes.reschedule(booking, request))).toBe('APPLIED');
    expect((await book.findState(rival))?.status).toBe('EXPIRED');
  });

  test('is refused when the difference is another one than the customer was shown', async () => {
    const booking = await changes.registered();
    const result = await changes.reschedule(booking, {
      slot: hours(10, 13),
      expectedDifference: 1,
    });
    expect(result).toMatchObject({
      type: 'PriceChanged',
      message: expect.stringContaining('30000 KRW, not 1'),
      quote: { total: { amount: 90_000 } },
    });
  });

  test('is refused where nothing would change, where a rule of the space is broken and for others', async () => {
    const booking = await changes.registered();
    expect(await changes.reschedule(booking)).toMatchObject({
      type: 'InvalidBookingRequest',
      field: 'slot',
    });
    const outside = await changes.reschedule(booking, { headcount: 11 });
    expect(outside).toMatchObject({ type: 'InvalidBookingRequest', field: 'headcount' });
    const past = { startAt: new Date(0), endAt: new Date(3_600_000) };
    expect(kindOf(await changes.reschedule(booking, { slot: past }))).toBe('InvalidBookingRequest');
    const key = await changes.reschedule(booking, { idempotencyKey: ' ' });
    expect(key).toMatchObject({ type: 'InvalidBookingRequest', field: 'idempotencyKey' });
    const stranger = await changes.reschedule({ state: { id: uuidv7() } } as Booking);
    expect(kindOf(stranger)).toBe('BookingNotFound');
  });

  test('is refused where operators gave back more than the new price', async () => {
    const booking = await changes.registered();
    const { bookings } = changes.ports;
    expect(await bookings.save(booking, booking.recordGoodwill(40_000))).toBe('saved');
    const request = { slot: hours(0, 1), expectedDifference: -30_000 };
    expect(kindOf(await changes.reschedule(booking, request))).toBe('BookingNotReschedulable');
  });

  test('is refused once the booking is cancelled', async () => {
    const booking = await changes.registered();
    await changes.cancel(booking);
    expect(await changes.reschedule(booking, { slot: hours(4, 6) })).toMatchObject({
      type: 'BookingNotReschedulable',
      status: 'CANCELLING',
    });
  });

  test('does not make the key of the booking another request', async () => {
    const booking = await changes.registered();
    expect(kindOf(await changes.reschedule(booking, { slot: hours(4, 6) }))).toBe('APPLIED');
    const { spaceId, slot, idempotencyKey } = booking.state;
    const request = aRequest({ spaceId, slot, idempotencyKey });
    const repeated = await requestBooking(
      changes.ports,
      { ...request, expectedTotal: 60_000 },
      'customer',
    );
    expect(repeated).toMatchObject({ state: { id: booking.state.id, slot: hours(4, 6) } });
    const other = await requestBooking(changes.ports, { ...request, headcount: 3 }, 'customer');
    expect(other).toMatchObject({ type: 'IdempotencyKeyReused' });
  });

  test('is refused after 50 changes', async () => {
    const booking = await changes.registered();
    await book.database.query(
      `INSERT INTO booking_change (id, booking_id, idempotency_key, state, from_terms, to_terms, difference, expires_at)
       SELECT gen_random_uuid(), $1, n, 'EXPIRED', c, c, 0, now()
         FROM generate_series(1, 50) n, (SELECT '{"slot": {}}'::jsonb AS c) t`,
      [booking.state.id],
    );
    expect(kindOf(await changes.reschedule(booking, { slot: hours(4, 6) }))).toBe(
      'BookingNotReschedulable',
    );
  });
});
