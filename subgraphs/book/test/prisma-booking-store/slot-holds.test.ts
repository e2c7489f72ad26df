import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { prismaBookingStore } from '../../src/adapters/prisma-booking-store.ts';
import { legal, NOW } from '../a-booking.ts';
import {
  type BookingDatabase,
  bookingElsewhere,
  hours,
  openBookingDatabase,
  times,
} from './booking-database.ts';

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});

afterAll(() => book?.close());

describe('the occupied slots', () => {
  test('the occupied slots are those of live holds, in order, without stale holds', async () => {
    const spaceId = uuidv7();
    const late = await book.hold({ spaceId, slot: hours(6, 7) });
    await book.store.save(late, legal(late.approvePayment()));
    const hold = await book.hold({ spaceId, slot: hours(2, 3) });
    const declined = await book.hold({ spaceId, slot: hours(4, 5) });
    await book.store.save(declined, legal(declined.declinePayment()));
    const { startAt, endAt } = hours(0, 24);
    expect(await book.store.occupiedSlots(spaceId, startAt, endAt)).toEqual([
      hours(2, 3),
      hours(6, 7),
    ]);
    expect(await book.store.occupiedSlots(spaceId, hours(3, 6).startAt, hours(3, 6).endAt)).toEqual(
      [],
    );
    expect(await book.store.occupiedSlots(uuidv7(), startAt, endAt)).toEqual([]);
    await book.endHold(hold);
    expect(await book.store.occupiedSlots(spaceId, startAt, endAt)).toEqual([hours(6, 7)]);
  });

  test('the occupied slots of a page of spaces are read with one statement, each for its own range', async () => {
    const bookings = await Promise.all(
      times(100, (index) => book.hold({ slot: hours(index, index + 1) })),
    );
    let statements = 0;
    const counting = {
      query: (...args: Parameters<typeof book.database.pool.query>) => {
        statements += 1;
        return book.database.pool.query(...args);
      },
    };
    const counted = prismaBookingStore(book.prisma, counting as typeof book.database.pool, {
      publish: () => {},
    });
    const { startAt, endAt } = hours(0, 100);
    const all = await Promise.all(
      bookings.map(({ state }, index) =>
        index % 2
          ? counted.occupiedSlots(state.spaceId, startAt, endAt)
          : counted.occupiedSlots(state.spaceId, startAt, state.slot.startAt),
      ),
    );
    expect(all).toEqual(bookings.map(({ state }, index) => (index % 2 ? [state.slot] : [])));
    expect(statements).toBe(1);
  });
});

describe('a booking whose registration is cancelled before its refund', () => {
  const cancelling = async (spaceId: string) => {
    const requested = await book.hold({ spaceId });
    const paid = legal(requested.approvePayment());
    const cancelled = legal(paid.cancel('customer', NOW));
    const unregistered = legal(cancelled.completeRegistrationCancellation());
    expect(await book.store.save(requested, paid)).toBe('saved');
    expect(await book.store.save(paid, cancelled)).toBe('saved');
    return { cancelled, unregistered };
  };

  test('a booking releases its slot when its registration is cancelled, before its refund', async () => {
    const spaceId = uuidv7();
    const { cancelled, unregistered } = await cancelling(spaceId);
    expect(await book.insert(bookingElsewhere({ spaceId }))).toBe('overlap');
    expect(await book.store.save(cancelled, unregistered, uuidv7())).toBe('saved');
    expect(await book.insert(bookingElsewhere({ spaceId }))).toBe('held');
    expect(await book.findState(unregistered)).toMatchObject({ status: 'CANCELLING' });
  });

  test('late events of a released booking do not affect the booking that holds the slot now', async () => {
    const spaceId = uuidv7();
    const { cancelled, unregistered } = await cancelling(spaceId);
    const eventId = uuidv7();
    expect(await book.store.save(cancelled, unregistered, eventId)).toBe('saved');
    const next = await book.hold({ spaceId });
    const late = legal(unregistered.completeRegistrationCancellation());
    expect(await book.store.save(unregistered, late, eventId)).toBe('stale');
    expect(await book.store.save(unregistered, late, uuidv7())).toBe('saved');
    expect(await book.store.save(late, legal(late.completePaymentCancellation()), uuidv7())).toBe(
      'saved',
    );
    expect(await book.findState(unregistered)).toMatchObject({ status: 'CANCELLED' });
    expect(await book.findState(next)).toMatchObject({ status: 'REQUESTED', version: 1 });
    expect(await book.countLive(spaceId)).toBe(1);
  });

  test('a released booking stays without its slot where the previous release saves it again', async () => {
    const spaceId = uuidv7();
    const { cancelled, unregistered } = await cancelling(spaceId);
    await book.store.save(cancelled, unregistered);
    await book.hold({ spaceId });
    await book.database.query(
      'UPDATE booking SET live = TRUE, version = version + 1 WHERE id = $1',
      [cancelled.state.id],
    );
    expect(await book.countLive(spaceId)).toBe(1);
  });
});
