import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { retryDuePayments } from '../src/application/booking-saga.ts';
import { cancelBooking } from '../src/application/cancel-booking.ts';
import {
  approveBooking,
  type DecideBookingResult,
  rejectBooking,
} from '../src/application/decide-booking.ts';
import type { Booking } from '../src/domain/booking.ts';
import type { BookPorts, PaymentOutcome } from '../src/ports.ts';
import { ANY_SLOT, aBooking, aSpace, HOLD_SECONDS, MANY_HOLDS } from './a-booking.ts';
import {
  type BookingDatabase,
  hours,
  openBookingDatabase,
  times,
} from './prisma-booking-store/booking-database.ts';

let book: BookingDatabase;
let ports: BookPorts;
let outcome: PaymentOutcome = 'approved';
/** The bookings whose payment was requested; those of other tests may be retried meanwhile. */
const charged: string[] = [];
const chargesOf = ({ state }: Booking) => charged.filter((id) => id === state.id).length;

beforeAll(async () => {
  book = await openBookingDatabase();
  ports = {
    bookings: book.store,
    payments: {
      circuit: () => 'closed',
      approve: async ({ state }: Booking) => {
        charged.push(state.id);
        return outcome;
      },
      findOutcome: async () => 'unknown',
    },
    clock: () => new Date(),
    resume: (_: Booking, work: () => Promise<void>) => work(),
    holdSeconds: HOLD_SECONDS,
    deferredPerSecond: 1_000,
    log: () => {},
  } as unknown as BookPorts;
});
afterAll(() => book?.close());

const host = { userId: 'hana', isOperator: false };
const operator = { userId: 'omar', isOperator: true };
const customer = { userId: 'chulsoo', isOperator: false };

async function awaiting(spaceId = uuidv7()): Promise<Booking> {
  const space = aSpace({ bookingMode: 'APPROVAL', bookingRules: ANY_SLOT });
  const booking = aBooking({ spaceId, slot: hours(0, 2) }, { space, now: new Date() });
  expect(await book.insert(booking, MANY_HOLDS)).toBe('held');
  outcome = 'approved';
  return booking;
}
const approve = ({ state }: Booking, principal = host) =>
  approveBooking(ports, principal, state.id);
const reject = ({ state }: Booking, principal = host) =>
  rejectBooking(ports, principal, state.id, 'Closed for a private party');
const statusOf = async (booking: Booking) => (await book.findState(booking))?.status;
const kindOf = (result: DecideBookingResult) =>
  'type' in result ? result.type : result.booking.state.status;

describe('a decision of the host', () => {
  test.each([
    ['approved', 'PAID'],
    ['declined', 'DECLINED'],
    ['unknown', 'PAYMENT_DEFERRED'],
  ] as const)(
    'an approval whose payment is %s returns the booking as %s, and again unchanged',
    async (payment, status) => {
      const booking = await awaiting();
      outcome = payment;
      expect(kindOf(await approve(booking))).toBe(status);
      expect(kindOf(await approve(booking))).toBe(status);
      expect(chargesOf(booking)).toBe(1);
      expect(kindOf(await reject(booking))).toBe('BookingNotDecidable');
    },
  );

  test('a rejection frees the slot, charges nothing and keeps the words of the host', async () => {
    const booking = await awaiting();
    expect(kindOf(await reject(booking))).toBe('REJECTED');
    expect(kindOf(await reject(booking))).toBe('REJECTED');
    expect(await book.findState(booking)).toMatchObject({
      rejectionReason: 'Closed for a private party',
      paymentMethod: '',
    });
    expect(chargesOf(booking)).toBe(0);
    expect((await book.readOutbox(booking)).map(({ type }) => type)).toEqual([
      'Booked',
      'BookingReleased',
    ]);
    const { spaceId } = booking.state;
    expect(await book.insert(aBooking({ spaceId, slot: hours(0, 2) }))).toBe('held');
    expect(kindOf(await approve(booking))).toBe('BookingNotDecidable');
  });

  test('a booking does not exist for its customer or another host who decides, and an operator may decide', async () => {
    const booking = await awaiting();
    for (const principal of [customer, { userId: 'heeyeon', isOperator: false }]) {
      expect(kindOf(await approve(booking, principal))).toBe('BookingNotFound');
      expect(kindOf(await reject(booking, principal))).toBe('BookingNotFound');
    }
    expect(kindOf(await approve(booking, operator))).toBe('PAID');
  });

  test('a booking past its deadline is not decided, expires without a charge and frees its slot', async () => {
    const booking = await awaiting();
    await book.endHold(booking);
    expect(kindOf(await approve(booking))).toBe('BookingNotDecidable');
    expect(kindOf(await reject(booking))).toBe('BookingNotDecidable');
    await book.database.query(
      'UPDATE booking SET next_payment_attempt_at = hold_expires_at WHERE id = $1',
      [booking.state.id],
    );
    await retryDuePayments(ports);
    expect(await statusOf(booking)).toBe('EXPIRED');
    expect(chargesOf(booking)).toBe(0);
  });

  test('a booking that awaits approval is not due before its deadline', async () => {
    const booking = await awaiting();
    await retryDuePayments(ports);
    expect(await statusOf(booking)).toBe('AWAITING_APPROVAL');
    expect(chargesOf(booking)).toBe(0);
  });

  test('of ten approvals at once one requests the payment, and all return the booking', async () => {
    const booking = await awaiting();
    const results = await Promise.all(times(10, () => approve(booking)));
    expect(results.map((result) => 'booking' in result)).toEqual(times(10, () => true));
    expect(chargesOf(booking)).toBe(1);
    expect(await statusOf(booking)).toBe('PAID');
  });

  test('of approvals, rejections, cancellations and the deadline at once exactly one decides', async () => {
    for (let round = 0; round < 10; round += 1) {
      const booking = await awaiting();
      const { id } = booking.state;
      await Promise.all(
        times(4, (index) => [
          approve(booking),
          reject(booking),
          cancelBooking(ports, customer, id),
          // The deadline passes while the others run.
          index === round % 4 && book.endHold(booking),
          retryDuePayments(ports),
        ]).flat(),
      );
      const end = await book.findState(booking);
      const statuses = (await book.readOutbox(booking)).map(({ status }) => status);
      expect(statuses[0]).toBe('AWAITING_APPROVAL');
      // A charge is requested exactly when the host's approval came first.
      expect(chargesOf(booking) > 0).toBe(end?.decision === 'APPROVED');
      expect(statuses.includes('REQUESTED')).toBe(end?.decision === 'APPROVED');
      expect(statuses.includes('REJECTED')).toBe(end?.decision === 'REJECTED');
      expect(new Set(statuses).size).toBe(statuses.length);
    }
  });
});
