import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { legal, NOW } from '../a-booking.ts';
import {
  type BookingDatabase,
  bookingElsewhere,
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

describe('a stale hold', () => {
  test('a stale hold is released, with its event, by the transaction of the request that needs its slot', async () => {
    const stale = await book.hold();
    const { spaceId } = stale.state;
    await book.endHold(stale, 60);
    const booking = await book.hold({ spaceId });
    expect(await book.findState(stale)).toMatchObject({ status: 'EXPIRED', version: 2 });
    expect((await book.readOutbox(stale))[1]).toEqual({
      version: 2,
      type: 'BookingReleased',
      awaiting: ['mypage', 'payment', 'space'],
      status: 'EXPIRED',
    });
    const transactions = await book.database.query(
      `SELECT DISTINCT xmin::text FROM booking WHERE space_id = $1
       UNION
       SELECT xmin::text FROM outbox WHERE aggregate_id = $2 OR (aggregate_id = $3 AND version = 2)`,
      [spaceId, booking.state.id, stale.state.id],
    );
    expect(transactions).toHaveLength(1);
    expect(book.published.filter((event) => event.aggregateId === stale.state.id)).toHaveLength(2);
  });

  test.each(['REQUESTED', 'PAYMENT_DEFERRED'])(
    'a hold of a booking that is %s keeps its slot until it expires',
    async (status) => {
      const first = await book.hold();
      const { spaceId } = first.state;
      if (status === 'PAYMENT_DEFERRED') {
        expect(await book.store.save(first, legal(first.deferPayment(NOW)))).toBe('saved');
      }
      await book.endHold(first, -60);
      expect(await book.insert(bookingElsewhere({ spaceId }))).toBe('overlap');
      await book.endHold(first);
      expect(await book.insert(bookingElsewhere({ spaceId }))).toBe('held');
    },
  );

  test('a hold is not released once it is paid', async () => {
    const paid = await book.hold();
    await book.store.save(paid, legal(paid.approvePayment()));
    await book.endHold(paid, 60);
    const { spaceId } = paid.state;
    expect(await book.insert(bookingElsewhere({ spaceId }))).toBe('overlap');
    expect(await book.findState(paid)).toMatchObject({ status: 'PAID' });
  });

  test('a stale hold stays when the request is refused for another reason', async () => {
    const { customerId, idempotencyKey } = (await book.hold({ customerId: 'yuna' })).state;
    const spaceId = uuidv7();
    const stale = await book.hold({ spaceId, slot: hours(0, 1) });
    const paid = await book.hold({ spaceId, slot: hours(1, 2) });
    await book.store.save(paid, legal(paid.approvePayment()));

    await book.endHold(stale, 60);
    const before = await book.findState(stale);
    const overBoth = bookingElsewhere({ spaceId, slot: hours(0, 2) });
    expect(await book.insert(overBoth)).toBe('overlap');
    const sameKey = bookingElsewhere({ spaceId, slot: hours(0, 1), customerId, idempotencyKey });
    expect(await book.insert(sameKey)).toBe('key-used');

    expect(await book.findState(stale)).toEqual(before);
    expect(await book.readOutbox(stale)).toHaveLength(1);
  });

  test('the slot of stale holds goes to exactly one of a hundred concurrent requests, without a deadlock', async () => {
    const spaceId = uuidv7();
    const stale = [
      await book.hold({ spaceId, slot: hours(0, 1) }),
      await book.hold({ spaceId, slot: hours(1, 2) }),
      await book.hold({ spaceId, slot: hours(2, 3) }),
    ];
    for (const hold of stale) await book.endHold(hold, 60);
    const outcomes = await Promise.all(
      times(100, (n) =>
        book.insert(bookingElsewhere({ spaceId, customerId: `c${n}`, slot: hours(0, 3) })),
      ),
    );
    expect(tally(outcomes)).toEqual({ held: 1, overlap: 99 });
    for (const hold of stale) {
      expect(await book.findState(hold)).toMatchObject({ status: 'EXPIRED', version: 2 });
      expect(await book.readOutbox(hold)).toHaveLength(2);
    }
  });
});
