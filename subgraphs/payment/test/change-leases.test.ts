import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { attemptChangeRefund } from '../src/application/refund-change.ts';
import { type PaymentPorts, RefundRefused } from '../src/ports.ts';
import { aChange, aCharge, changedBookings } from './a-change.ts';
import { finishRefunds, paidBookings } from './a-goodwill.ts';
import { openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, findPayment, away } = paidBookings(() => context);
const { aCharged, charge, release, giveBackFor, findChange } = changedBookings(() => context);

describe('the leases of refunds of changes', () => {
  test('a refund is leased to one of several processes, and postponed only by its newest lease', async () => {
    await finishRefunds(context);
    const event = aChange(await aPaid(), -1);
    expect(await ports.changes.owe(event)).toBe(1);
    const before = await findChange(event);
    expect(await ports.changes.claimDue(10)).toEqual([]);
    await context.makeRefundsDue();
    const claims = await Promise.all([ports.changes.claimDue(10), ports.changes.claimDue(10)]);
    expect(claims.flat()).toEqual([event.changeId]);
    const dueAt = () =>
      context.query('SELECT next_attempt_at FROM payment_change WHERE id = $1', [event.changeId]);
    const leased = await dueAt();
    await ports.changes.postpone(before);
    expect(await ports.changes.refuse(before)).toBe(1);
    expect(await dueAt()).toEqual(leased);
    await ports.changes.postpone({ ...before, attempt: 2 });
    expect(await dueAt()).not.toEqual(leased);
  });

  test('ten concurrent attempts complete a refund once', async () => {
    const booking = await aPaid();
    const event = aChange(booking, -20_000);
    await giveBackFor(event, away());
    await Promise.all(Array.from({ length: 10 }, () => attemptChangeRefund(ports, event.changeId)));
    expect((await findPayment(booking)).state).toMatchObject({ refunded: 20_000, version: 3 });
    expect(await context.publishedTypes(booking.bookingId)).toEqual([
      ...['PaymentApproved', 'PaymentAdjusted'],
    ]);
  });

  test('an event that waits for a charge to commit gives back what that leaves', async () => {
    const booking = await aPaid();
    const event = aChange(booking, -20_000);
    const giving = await context.whileLocked(
      `SELECT FROM payment WHERE booking_id = '${booking.bookingId}' FOR UPDATE;
       INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id)
       SELECT gen_random_uuid(), id, id, 50000, 'r', 'o' FROM payment
        WHERE booking_id = '${booking.bookingId}'`,
      async () => {
        const work = giveBackFor(event);
        await context.waitForLock('%FOR UPDATE%');
        return { work };
      },
    );
    await giving.work;
    expect(await findChange(event)).toMatchObject({ refundAmount: 10_000 });
  });

  test('a release that waits for a new charge to commit prevents it', async () => {
    const booking = await aPaid();
    const request = aCharge(booking, 10_000);
    const releasing = await context.whileLocked(
      `SELECT FROM payment WHERE booking_id = '${booking.bookingId}' FOR UPDATE;
       INSERT INTO payment_change (id, payment_id, difference, charge_status)
       SELECT '${request.changeId}', id, 10000, 'PENDING' FROM payment
        WHERE booking_id = '${booking.bookingId}'`,
      async () => {
        const work = release(request);
        await context.waitForLock('%FOR UPDATE%');
        return { work };
      },
    );
    await releasing.work;
    expect(await findChange(request)).toMatchObject({ chargeStatus: 'VOIDED', completed: true });
    expect(await charge(request)).toBe('VOIDED');
  });
});

describe('the sandbox provider with several charges of one account', () => {
  test('ten concurrent refunds under different keys never exceed the charges of the account', async () => {
    const booking = await aPaid();
    await aCharged(booking, 20_000);
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => ports.provider.refund(booking.bookingId, uuidv7(), 25_000)),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(7);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(RefundRefused);
    }
    expect(await context.chargedAndRefunded(booking.bookingId)).toEqual({
      ...{ charged: 80_000, refunded: 75_000 },
    });
  });

  test('a later charge of an account whose first was not made is declined', async () => {
    const account = uuidv7();
    const charged = { key: uuidv7(), account, amount: 1, currency: 'KRW' as const };
    expect(await ports.provider.charge({ ...charged, paymentMethod: null })).toMatchObject({
      outcome: 'declined',
    });
  });
});
