import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { registrationMoved } from '../../src/application/change-saga.ts';
import type { Booking } from '../../src/domain/booking.ts';
import { applyChange } from '../../src/domain/booking-change.ts';
import { MANY_HOLDS } from '../a-booking.ts';
import { elsewhere, kindOf, openChanges } from '../a-change.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
  times,
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

  test('of one booking with one key are made once', async () => {
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

  test('of one booking with one key are made once also when all wait for the registration', async () => {
    const booking = await changes.registered();
    await book.database.query(`UPDATE booking SET status = 'PAID' WHERE id = $1`, [
      booking.state.id,
    ]);
    let polls = 0;
    let registered: Promise<unknown> | undefined;
    changes.ports.wait = async (ms) => {
      polls += 1;
      if (polls === 12) {
        registered = book.database.query(`UPDATE booking SET status = 'REGISTERED' WHERE id = $1`, [
          booking.state.id,
        ]);
      }
      // A commit may take longer than all polls of a request.
      await (registered ?? new Promise((resolve) => setTimeout(resolve, ms / 10)));
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
