import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { postgresReconciliationStore } from '../src/adapters/postgres-reconciliation-store.ts';
import { type ContextRecords, reconcile } from '../src/application/reconcile.ts';
import type { Violation } from '../src/domain/consistency.ts';
import { openChanges } from './a-change.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
} from './prisma-booking-store/booking-database.ts';

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});
afterAll(() => book?.close());

test('what is wrong with a booking stays known while a change of it is under way', async () => {
  const changes = openChanges(book);
  const booking = await changes.registered();
  const store = postgresReconciliationStore(book.database.pool, 0);
  await book.database.query("UPDATE outbox SET awaiting = '{}'");
  const reported: Violation[] = [];
  // The other contexts have no record of the booking.
  const records: ContextRecords = {
    changedAfter: async () => ({ bookingIds: [booking.state.id], last: null, hasMore: false }),
    read: async (ids) =>
      ids.map((bookingId) => ({ bookingId, payment: null, registration: null, view: null })),
  };
  const compare = () =>
    reconcile({
      store,
      records,
      waitForEvents: async () => {},
      countCompared: () => {},
      report: (violation) => void reported.push(violation),
    });

  await compare();
  const found = reported.map(({ invariant }) => invariant);
  expect(found).toContain('confirmed-is-paid-and-registered');
  changes.payment.outcome = 'unknown';
  await changes.reschedule(booking, { slot: hours(10, 13), expectedDifference: 30_000 });
  await compare();
  expect(await store.openViolations()).toEqual([booking.state.id]);
  expect(reported).toHaveLength(found.length);
});
