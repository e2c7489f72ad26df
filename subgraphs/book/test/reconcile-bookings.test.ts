import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { lostBookings } from '../src/adapters/lost-bookings.ts';
import { postgresReconciliationStore } from '../src/adapters/postgres-reconciliation-store.ts';
import {
  findContradictions,
  type ReconcileBookingsPorts,
  reconcileBooking,
} from '../src/application/reconcile-bookings.ts';
import type { BookingRecords, KnownBooking } from '../src/domain/consistency.ts';
import { aSpace, legal, NOW } from './a-booking.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
} from './prisma-booking-store/booking-database.ts';

const NIL = '00000000-0000-0000-0000-000000000000';
const OPERATOR = { userId: 'operator', role: 'operator' } as const;

let book: BookingDatabase;

beforeAll(async () => {
  book = await openBookingDatabase();
});
afterAll(() => book?.close());

/** Ports over the database, with what the other contexts would respond. */
function portsWith(others: Omit<BookingRecords, 'booking'>[]): ReconcileBookingsPorts {
  return {
    bookings: book.store,
    catalogue: {
      find: async (id) => aSpace({ id }),
      whenStored: async () => false,
      store: async () => {},
    },
    lost: lostBookings(book.database.pool, { publish: () => {} }),
    records: {
      idsAfter: async () => ({ ids: others.map(({ bookingId }) => bookingId), next: null }),
      changedAfter: async () => ({ bookingIds: [], last: null, hasMore: false }),
      read: async (ids) => others.filter(({ bookingId }) => ids.includes(bookingId)),
    },
    store: postgresReconciliationStore(book.database.pool, 0),
    clock: () => NOW,
    correlationId: () => 'c1',
    log: () => {},
  };
}

function aLostBooking(changes: Partial<NonNullable<BookingRecords['payment']>> = {}) {
  const { startAt, endAt } = hours(1, 3);
  const booking: KnownBooking = {
    customerId: 'chulsoo',
    spaceId: uuidv7(),
    startAt: startAt.toISOString(),
    endAt: endAt.toISOString(),
    price: 60_000,
    currency: 'KRW',
  };
  const payment = {
    paymentId: uuidv7(),
    status: 'APPROVED',
    amount: 60_000,
    refunded: 0,
    goodwill: 0,
    refundedForChanges: 0,
    refundDue: null,
    isPassing: false,
    chargedByProvider: true,
    booking,
    ...changes,
  };
  return { bookingId: uuidv7(), payment, registration: null, view: null };
}

describe('reconcileBooking', () => {
  test('a lost booking is written as one that is cancelled, with the refund of its whole charge', async () => {
    const lost = aLostBooking();
    const ports = portsWith([lost]);
    const { contradictions } = await findContradictions(ports, NIL, true);
    expect(contradictions).toMatchObject([{ bookingId: lost.bookingId, remedy: 'CANCEL_LOST' }]);

    const booking = legal(await reconcileBooking(ports, lost.bookingId, OPERATOR, 'restored'));
    expect(await book.findState(booking)).toMatchObject({
      customerId: 'chulsoo',
      status: 'CANCELLING',
      refund: { amount: 60_000, currency: 'KRW' },
      priceLines: [{ amount: 60_000 }],
    });
    expect(await book.readOutbox(booking)).toMatchObject([
      { version: 1_000_000, type: 'BookingCancelled', awaiting: ['mypage', 'payment', 'space'] },
    ]);
    const entries = await book.database.query('SELECT * FROM audit_entry WHERE subject_id = $1', [
      lost.bookingId,
    ]);
    expect(entries).toMatchObject([
      { user_id: 'operator', action: 'reconcileBooking', details: { reason: 'restored' } },
    ]);
  });

  test('what was given back of a lost booking already is not refunded again', async () => {
    const partly = aLostBooking({ refunded: 20_000, goodwill: 20_000 });
    const cancelled = aLostBooking({ refundDue: 30_000 });
    const ports = portsWith([partly, cancelled]);
    const refunds = [];
    for (const { bookingId } of [partly, cancelled]) {
      const booking = legal(await reconcileBooking(ports, bookingId, OPERATOR, 'restored'));
      refunds.push(booking.state.refund?.amount);
    }
    expect(refunds).toEqual([40_000, 30_000]);
  });

  test('a lost booking whose slot is sold again holds nothing, and the other one keeps it', async () => {
    const lost = aLostBooking();
    const { spaceId } = lost.payment.booking;
    await book.hold({ spaceId, slot: hours(2, 4) });
    const ports = portsWith([lost]);
    const booking = legal(await reconcileBooking(ports, lost.bookingId, OPERATOR, 'restored'));
    expect(await book.countLive(spaceId)).toBe(1);
    expect(await book.findState(booking)).toMatchObject({ status: 'CANCELLING' });
  });

  test('a booking that was reconciled at once by two operators is written once', async () => {
    const lost = aLostBooking();
    const ports = portsWith([lost]);
    const outcomes = await Promise.all(
      [1, 2].map(() => reconcileBooking(ports, lost.bookingId, OPERATOR, 'restored')),
    );
    expect(
      outcomes.map((outcome) => ('type' in outcome ? outcome.type : 'written')).sort(),
    ).toEqual(['BookingNotReconcilable', 'written']);
  });

  test('a booking that payment has refunded and book has not cancelled is cancelled with that refund', async () => {
    const held = await book.hold();
    const paid = legal(held.approvePayment());
    await book.store.save(held, paid);
    const others = { ...aLostBooking({ refundDue: 30_000 }), bookingId: held.state.id };
    const booking = legal(
      await reconcileBooking(portsWith([others]), held.state.id, OPERATOR, 'restored'),
    );
    expect(booking.state).toMatchObject({ status: 'CANCELLING', refund: { amount: 30_000 } });
  });

  test('a booking that does not contradict, and one of which nobody knows the customer, are refused', async () => {
    const held = await book.hold();
    const sound = { ...aLostBooking(), bookingId: held.state.id };
    const unknown = aLostBooking({ booking: undefined });
    for (const others of [sound, unknown]) {
      const result = await reconcileBooking(portsWith([others]), others.bookingId, OPERATOR, 'x');
      expect(result).toMatchObject({ type: 'BookingNotReconcilable' });
    }
  });
});
