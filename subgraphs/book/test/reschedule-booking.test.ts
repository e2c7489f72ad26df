import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { bookingSearch } from '../src/adapters/booking-search.ts';
import { paymentRefunded } from '../src/application/booking-saga.ts';
import { registrationMoved, retryDueChanges } from '../src/application/change-saga.ts';
import { requestBooking } from '../src/application/request-booking.ts';
import type { Booking } from '../src/domain/booking.ts';
import { applyChange } from '../src/domain/booking-change.ts';
import type { BookingFilter } from '../src/ports.ts';
import { ANY_SLOT, aBooking, aRequest, MANY_HOLDS } from './a-booking.ts';
import { kindOf, openChanges } from './a-change.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
  times,
} from './prisma-booking-store/booking-database.ts';

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

const elsewhere = (booking: Booking, start: number, end: number) =>
  aBooking({ spaceId: booking.state.spaceId, slot: hours(start, end) });
const moved = async (booking: Booking) => {
  const { id, version } = (await changes.find(booking)).state;
  await registrationMoved(changes.ports, { id: uuidv7(), bookingId: id }, version);
};
const retry = () => retryDueChanges(changes.ports);

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

  test('is made once for each key', async () => {
    const booking = await changes.registered();
    const request = { slot: hours(10, 13), expectedDifference: 30_000, idempotencyKey: 'once' };
    const results = await Promise.all(times(6, () => changes.reschedule(booking, request)));
    expect(results.map(kindOf).filter((kind) => !['APPLIED', 'PENDING'].includes(kind))).toEqual(
      [],
    );
    expect(new Set(changes.charged).size).toBe(1);
    const other = { ...request, slot: hours(11, 14) };
    expect(kindOf(await changes.reschedule(booking, other))).toBe('IdempotencyKeyReused');
    expect(await changes.ports.changes.list(booking.state.id)).toHaveLength(1);
  });

  test('is made once for each key also by requests that wait for the registration', async () => {
    const booking = await changes.registered();
    await book.database.query(`UPDATE booking SET status = 'PAID' WHERE id = $1`, [
      booking.state.id,
    ]);
    let polls = 0;
    changes.ports.wait = async (ms) => {
      polls += 1;
      await new Promise((resolve) => setTimeout(resolve, ms / 10));
      if (polls === 12) {
        await book.database.query(`UPDATE booking SET status = 'REGISTERED' WHERE id = $1`, [
          booking.state.id,
        ]);
      }
    };
    const request = { slot: hours(10, 13), expectedDifference: 30_000, idempotencyKey: 'waits' };
    const results = await Promise.all(times(6, () => changes.reschedule(booking, request)));
    const kinds = results.map(kindOf);
    expect(kinds.filter((kind) => kind !== 'APPLIED' && kind !== 'PENDING')).toEqual([]);
    expect(new Set(changes.charged).size).toBe(1);
    // A repeated request has the booking as it is after the change.
    for (const result of results) {
      if ('change' in result && result.change.state === 'APPLIED') {
        expect(result.booking.state.slot).toEqual(hours(10, 13));
      }
    }
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

test('the events of goodwill refunds that come in the wrong order are both recorded', async () => {
  const booking = await changes.registered();
  const [later, earlier] = [uuidv7(), uuidv7()];
  const { id: bookingId } = booking.state;
  await paymentRefunded(changes.ports, { id: later, bookingId }, 1_000);
  await paymentRefunded(changes.ports, { id: earlier, bookingId }, 500);
  expect((await changes.find(booking)).state.goodwill.amount).toBe(1_000);
  expect([await book.isInInbox(later), await book.isInInbox(earlier)]).toEqual([true, true]);
});

describe('changes at the same time', () => {
  test('a change is not applied or ended over a version of the booking that it has not seen', async () => {
    const booking = await changes.registered();
    changes.payment.outcome = 'unknown';
    await changes.reschedule(booking, { slot: hours(10, 13), expectedDifference: 30_000 });
    const seen = await changes.find(booking);
    const [change] = await changes.ports.changes.list(booking.state.id);
    if (!change) throw new Error('there is no change');
    await changes.cancel(booking);
    const { version, ...cancelled } = (await changes.find(booking)).state;
    const applied = applyChange(seen, change) as Booking;
    expect(await changes.ports.changes.apply(seen, applied, change)).toBe('stale');
    expect(await changes.ports.changes.end(seen, change, 'EXPIRED')).toBe('stale');
    expect(await changes.ports.changes.finish(seen, uuidv7())).toBe('stale');
    expect((await changes.find(booking)).state).toEqual({ ...cancelled, version });
    expect(await changes.releases(booking)).toHaveLength(1);
  });

  test('of a cancellation while the charge is made: the booking is cancelled by the old terms', async () => {
    const booking = await changes.registered();
    changes.payment.meanwhile = async () => void (await changes.cancel(booking));
    const result = await changes.reschedule(booking, {
      slot: hours(10, 13),
      expectedDifference: 30_000,
    });
    expect(kindOf(result)).toBe('EXPIRED');
    expect((await changes.find(booking)).state).toMatchObject({
      status: 'CANCELLING',
      slot: hours(0, 2),
    });
    expect(await changes.releases(booking)).toHaveLength(1);
    expect(await changes.holds(booking)).toEqual([[0, 2]]);
  });

  test('and cancellations in rounds: exactly one of them counts, and no slot stays occupied', async () => {
    for (let round = 0; round < 15; round += 1) {
      const booking = await changes.registered();
      const [rescheduled] = await Promise.all([
        changes.reschedule(booking, { slot: hours(10, 13), expectedDifference: 30_000 }),
        changes.cancel(booking),
      ]);
      const { state } = await changes.find(booking);
      expect(state).toMatchObject({ status: 'CANCELLING', openChange: null });
      const kind = kindOf(rescheduled);
      const isApplied = kind === 'APPLIED';
      expect(state.slot).toEqual(isApplied ? hours(10, 13) : hours(0, 2));
      expect(state.refund?.amount).toBe(isApplied ? 90_000 : 60_000);
      expect(await changes.releases(booking)).toHaveLength(kind === 'EXPIRED' ? 1 : 0);
    }
  });

  test('of several bookings to one slot: one of them gets it, and the others are as they were', async () => {
    for (let round = 0; round < 5; round += 1) {
      const spaceId = uuidv7();
      const bookings = await Promise.all(
        times(5, (index) => changes.registered({ spaceId, start: 2 * index })),
      );
      const requests = bookings.map((each) => changes.reschedule(each, { slot: hours(20, 22) }));
      const kinds = (await Promise.all(requests)).map(kindOf);
      expect(kinds.filter((kind) => kind === 'APPLIED')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'SlotUnavailable')).toHaveLength(4);
      for (const [index, booking] of bookings.entries()) {
        const { slot } = (await changes.find(booking)).state;
        expect(slot).toEqual(kinds[index] === 'APPLIED' ? hours(20, 22) : booking.state.slot);
      }
    }
  });

  test('and requests of others for the same slot: one of them gets it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const booking = await changes.registered();
      const rivals = times(4, () => elsewhere(booking, 10, 12));
      const [mine, ...others] = await Promise.all([
        changes.reschedule(booking, { slot: hours(10, 12) }),
        ...rivals.map((rival) => book.insert(rival, MANY_HOLDS)),
      ]);
      const winners = [kindOf(mine) === 'APPLIED', ...others.map((each) => each === 'held')];
      expect(winners.filter(Boolean)).toHaveLength(1);
    }
  });

  test('an old move of the registration does not finish a newer change', async () => {
    const booking = await changes.registered();
    expect(kindOf(await changes.reschedule(booking, { slot: hours(4, 6) }))).toBe('APPLIED');
    const { id, version } = (await changes.find(booking)).state;
    const event = { id: uuidv7(), bookingId: id };
    await registrationMoved(changes.ports, { id: uuidv7(), bookingId: id }, version - 1);
    expect(await changes.holds(booking)).toEqual([
      [0, 2],
      [4, 6],
    ]);
    await registrationMoved(changes.ports, event, version);
    await registrationMoved(changes.ports, event, version);
    expect(await changes.holds(booking)).toEqual([[4, 6]]);
    expect(await book.isInInbox(event.id)).toBe(true);
  });
});
