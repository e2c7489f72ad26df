import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { paymentRefunded } from '../src/application/booking-saga.ts';
import { openChanges } from './a-change.ts';
import {
  type BookingDatabase,
  openBookingDatabase,
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

test('the events of goodwill refunds that come in the wrong order are both recorded', async () => {
  const booking = await changes.registered();
  const [later, earlier] = [uuidv7(), uuidv7()];
  const { id: bookingId } = booking.state;
  await paymentRefunded(changes.ports, { id: later, bookingId }, 1_000);
  await paymentRefunded(changes.ports, { id: earlier, bookingId }, 500);
  expect((await changes.find(booking)).state.goodwill.amount).toBe(1_000);
  expect([await book.isInInbox(later), await book.isInInbox(earlier)]).toEqual([true, true]);
});
