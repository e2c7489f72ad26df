import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Booking } from '../../src/domain/booking.ts';
import { legal, NOW, secondsAfter } from '../a-booking.ts';
import {
  type BookingDatabase,
  bookingElsewhere,
  HOLD_END,
  hours,
  openBookingDatabase,
  tally,
  times,
} from './booking-database.ts';

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});

afterAll(() => book?.close());

describe('inserting a booking', () => {
  test('a new booking is stored with its idempotency key and the event Booked, which is published', async () => {
    const booking = await book.hold();
    const { customerId, idempotencyKey, id } = booking.state;
    expect(await book.findState(booking)).toMatchObject(booking.state);
    expect(await book.store.findByKey(customerId, idempotencyKey, 'pm_ok')).toMatchObject({
      booking: { state: booking.state },
      hasPaymentMethod: true,
    });
    expect(await book.readOutbox(booking)).toEqual([
      { version: 1, type: 'Booked', awaiting: ['mypage', 'space'], status: 'REQUESTED' },
    ]);
    expect(book.published.filter((event) => event.aggregateId === id)).toHaveLength(1);
  });

  test.each([
    ['the whole', 2, 4],
    ['one hour', 3, 4],
    ['the surroundings', 1, 5],
    ['half an hour', 3.5, 6],
  ])('a request for %s of a held slot is refused and writes nothing', async (_name, from, to) => {
    const spaceId = uuidv7();
    await book.hold({ spaceId, slot: hours(2, 4) });
    const second = bookingElsewhere({ spaceId, slot: hours(from, to) });
    expect(await book.insert(second)).toBe('overlap');
    expect(await book.findState(second)).toBeUndefined();
    expect(await book.readOutbox(second)).toEqual([]);
    expect(book.published.filter((event) => event.aggregateId === second.state.id)).toEqual([]);
  });

  test('slots that are back to back, and the same slot of another space, are held', async () => {
    const spaceId = uuidv7();
    await book.hold({ spaceId, slot: hours(2, 4) });
    await book.hold({ spaceId, slot: hours(4, 5) });
    await book.hold({ spaceId, slot: hours(1, 2) });
    await book.hold({ slot: hours(2, 4) });
    expect(await book.countLive(spaceId)).toBe(3);
  });

  test('a slot is held again once its booking is declined, expired or cancelled', async () => {
    const spaceId = uuidv7();
    const ends: ((booking: Booking) => Booking[])[] = [
      (b) => [legal(b.declinePayment())],
      (b) => [legal(b.expire(HOLD_END))],
      (b) => {
        const cancelling = legal(b.cancel('customer', NOW));
        const voided = legal(cancelling.completePaymentCancellation());
        return [cancelling, voided, legal(voided.completeRegistrationCancellation())];
      },
    ];
    for (const end of ends) {
      const booking = await book.hold({ spaceId });
      let previous = booking;
      for (const next of end(booking)) {
        expect(await book.store.save(previous, next)).toBe('saved');
        previous = next;
      }
      expect(await book.countLive(spaceId)).toBe(0);
    }
    await book.hold({ spaceId });
  });

  test('a hundred concurrent requests for one slot hold it exactly once, without a deadlock', async () => {
    const spaceId = uuidv7();
    const outcomes = await Promise.all(
      times(100, (n) => book.insert(bookingElsewhere({ spaceId, customerId: `c${n}` }))),
    );
    expect(tally(outcomes)).toEqual({ held: 1, overlap: 99 });
    expect(await book.countLive(spaceId)).toBe(1);
  });

  test('a booking is saved while other requests for its slot are refused, without a deadlock', async () => {
    const spaceId = uuidv7();
    let booking = await book.hold({ spaceId });
    let isSaving = true;
    const requestRepeatedly = async (n: number): Promise<string[]> => {
      const outcomes: string[] = [];
      while (isSaving) {
        outcomes.push(await book.insert(bookingElsewhere({ spaceId, customerId: `c${n}` })));
      }
      return outcomes;
    };
    const requests = times(8, requestRepeatedly);
    for (let change = 0; change < 300; change += 1) {
      const next = legal(booking.deferPayment(secondsAfter(NOW, change)));
      expect(await book.store.save(booking, next)).toBe('saved');
      booking = next;
    }
    isSaving = false;
    const outcomes = (await Promise.all(requests)).flat();
    expect(tally(outcomes)).toEqual({ overlap: outcomes.length });
  });

  test('concurrent requests for overlapping slots hold only slots that do not overlap', async () => {
    const spaceId = uuidv7();
    const outcomes = await Promise.all(
      times(60, (n) => {
        const from = (n * 7) % 20;
        return book.insert(bookingElsewhere({ spaceId, slot: hours(from, from + 1 + (n % 4)) }));
      }),
    );
    expect(await book.countLive(spaceId)).toBe(tally(outcomes).held);
    const overlaps = await book.database.query(
      `SELECT FROM booking a JOIN booking b ON a.id < b.id AND a.space_id = b.space_id
        WHERE a.space_id = $1 AND a.live AND b.live AND a.start_at < b.end_at AND b.start_at < a.end_at`,
      [spaceId],
    );
    expect(overlaps).toEqual([]);
  });

  test('fifty concurrent requests with one key make one booking', async () => {
    const spaceId = uuidv7();
    const key = { customerId: 'chulsoo', idempotencyKey: uuidv7() };
    const bookings = times(50, () => bookingElsewhere({ spaceId, ...key }));
    const outcomes = await Promise.all(bookings.map((booking) => book.insert(booking)));
    expect(outcomes.filter((outcome) => outcome === 'held')).toHaveLength(1);
    const winner = bookings[outcomes.indexOf('held')];
    const found = await book.store.findByKey(key.customerId, key.idempotencyKey, 'pm_ok');
    expect(found?.booking.state.id).toBe(winner?.state.id);
    expect(
      await book.database.query('SELECT FROM booking WHERE space_id = $1', [spaceId]),
    ).toHaveLength(1);
  });

  test('fifty concurrent requests with one key for different slots make one booking', async () => {
    const key = { customerId: 'chulsoo', idempotencyKey: uuidv7() };
    const outcomes = await Promise.all(times(50, () => book.insert(bookingElsewhere(key))));
    expect(tally(outcomes)).toEqual({ held: 1, 'key-used': 49 });
  });

  test('a key of one customer does not collide with the same key of another', async () => {
    const { idempotencyKey } = (await book.hold({ customerId: 'chulsoo' })).state;
    await book.hold({ customerId: 'Chulsoo', idempotencyKey });
  });
});
