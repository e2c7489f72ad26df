import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { changeOutcome, reserveReduction } from '../src/application/charge-change.ts';
import { releaseChange } from '../src/application/refund-change.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { ChangeCharge } from '../src/domain/payment-change.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aCharge, changedBookings } from './a-change.ts';
import { finishRefunds, giveBack, paidBookings } from './a-goodwill.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, cancel, findPayment, away } = paidBookings(() => context);
const { giveBackFor, findChange } = changedBookings(() => context);
const sums = ({ bookingId }: { bookingId: string }) => context.chargedAndRefunded(bookingId);

/** Reserves `amount` of the booking's charges, which must be possible. */
async function reserved(booking: PaymentRequest, amount: number): Promise<ChangeCharge> {
  const reduction = aCharge(booking, amount);
  expect(await reserveReduction(ports, reduction)).toBe('APPROVED');
  return reduction;
}
const toEvent = ({ changeId, bookingId, amount }: ChangeCharge) => ({
  ...{ eventId: uuidv7(), changeId, bookingId, difference: -amount },
});
const apply = (reduction: ChangeCharge, by = ports) => giveBackFor(toEvent(reduction), by);
const release = (reduction: ChangeCharge) => releaseChange(ports, toEvent(reduction));

describe('a reduction that is reserved', () => {
  test('is refunded once book has applied the change, and not before', async () => {
    const booking = await aPaid();
    const reduction = await reserved(booking, 20_000);
    await finishRefunds(context);
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 0 });
    expect((await findPayment(booking)).state.version).toBe(2);
    await apply(reduction);
    await apply(reduction);
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect((await findPayment(booking)).state).toMatchObject({ refundedForChanges: 20_000 });
    expect(await changeOutcome(ports, reduction.changeId)).toBe('APPROVED');
  });

  test('is reserved once for each change, also by ten requests at once', async () => {
    const booking = await aPaid();
    const reduction = aCharge(booking, 40_000);
    const outcomes = Array.from({ length: 10 }, () => reserveReduction(ports, reduction));
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['APPROVED']));
    expect(await reserveReduction(ports, aCharge(booking, 20_001))).toBe('DECLINED');
  });

  test('is not taken by a goodwill refund, and takes nothing of one that is under way', async () => {
    const booking = await aPaid();
    await reserved(booking, 20_000);
    expect(await giveBack(ports, booking, 40_001)).toMatchObject({
      message: 'Of this charge 40000 KRW is left: refund at most that.',
    });
    await giveBack(away(), booking, 30_000);
    const declined = aCharge(booking, 10_001);
    expect(await reserveReduction(ports, declined)).toBe('DECLINED');
    await finishRefunds(context);
    expect(await reserveReduction(ports, declined)).toBe('DECLINED');
    expect(await changeOutcome(ports, declined.changeId)).toBe('DECLINED');
    await reserved(booking, 10_000);
  });

  test('gives back nothing once it is released, and leaves that to others', async () => {
    const booking = await aPaid();
    const reduction = await reserved(booking, 20_000);
    await release(reduction);
    await release(reduction);
    expect(await changeOutcome(ports, reduction.changeId)).toBe('VOIDED');
    expect(await giveBack(ports, booking, 60_000)).toMatchObject({ status: 'REFUNDED' });
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 60_000 });
  });

  test('that is released before it is requested reserves nothing', async () => {
    const booking = await aPaid();
    const reduction = aCharge(booking, 20_000);
    await release(reduction);
    expect(await reserveReduction(ports, reduction)).toBe('VOIDED');
    expect(await giveBack(ports, booking, 60_000)).toMatchObject({ status: 'REFUNDED' });
  });

  test.each([
    ['released', 60_000, release, { charged: 60_000, refunded: 60_000 }],
    ['applied', 40_000, apply, { charged: 60_000, refunded: 60_000 }],
  ] as const)(
    'has the cancellation that comes before its end wait, and is then %s: what is owed is refunded, no more',
    async (_what, quote, end, expected) => {
      const booking = await aPaid();
      const reduction = await reserved(booking, 20_000);
      await cancel(booking, quote);
      await end(reduction);
      await finishRefunds(context);
      expect(await sums(booking)).toEqual(expected);
      expect((await findPayment(booking)).state).toMatchObject({ status: 'REFUNDED' });
    },
  );

  test('is declined where there is no charge, or the booking has ended', async () => {
    expect(await reserveReduction(ports, aCharge(aRequest(), 1))).toBe('DECLINED');
    const booking = await aPaid();
    await cancel(booking, 0);
    expect(await reserveReduction(ports, aCharge(booking, 1))).toBe('DECLINED');
  });

  test('is counted right in any of 20 rounds of goodwill, reductions and a cancellation at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      const booking = await aPaid();
      const [one, other] = [aCharge(booking, 30_000), aCharge(booking, 25_000)];
      const [first, second] = await Promise.all([
        reserveReduction(ports, one),
        reserveReduction(ports, other),
        giveBack(ports, booking, 20_000),
      ]);
      await Promise.all([
        first === 'APPROVED' ? apply(one) : release(one),
        second === 'APPROVED' && round % 2 === 0 ? apply(other) : release(other),
        cancel(booking, 60_000),
      ]);
      await finishRefunds(context);
      const { state } = await findPayment(booking);
      expect(state).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
      expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 60_000 });
    }
  });
});

describe('the charges of changes', () => {
  test('are declined before they exceed what can be recorded', async () => {
    const booking = await aPaid();
    const { charge } = changedBookings(() => context);
    const largest = 2 ** 31 - 1 - 60_000;
    expect(await charge(aCharge(booking, largest))).toBe('APPROVED');
    expect(await charge(aCharge(booking, 1))).toBe('DECLINED');
    expect((await findPayment(booking)).state.amount).toBe(2 ** 31 - 1);
    const reduction = await reserved(booking, 1_000);
    await apply(reduction);
    expect(await findChange(reduction)).toMatchObject({ completed: true });
  });
});
