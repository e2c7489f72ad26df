import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { paymentRecords } from '../src/adapters/booking-records.ts';
import { type PaymentPorts, ProviderUnavailable } from '../src/ports.ts';
import { aChange, aCharge, changedBookings } from './a-change.ts';
import { finishRefunds, giveBack, paidBookings, withProvider } from './a-goodwill.ts';
import { openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, cancel, findPayment, away } = paidBookings(() => context);
const { charge, aCharged, release, giveBackFor } = changedBookings(() => context);
const sums = ({ bookingId }: { bookingId: string }) => context.chargedAndRefunded(bookingId);

describe('a cancellation of a booking that was changed', () => {
  test('a cancellation after changes refunds what they left of the charges', async () => {
    const booking = await aPaid();
    await aCharged(booking, 40_000);
    await giveBackFor(aChange(booking, -30_000));
    await cancel(booking, 100_000);
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ amount: 100_000, refunded: 100_000, refundedForChanges: 30_000, status: 'REFUNDED' },
    });
    expect(await context.findObligations(booking.bookingId)).toEqual([
      { amount: 70_000, completed: true },
    ]);
    expect(await sums(booking)).toEqual({ charged: 100_000, refunded: 100_000 });
  });

  test('a cancellation before the event of a change leaves what the change gives back', async () => {
    const booking = await aPaid();
    await cancel(booking, 45_000);
    await giveBackFor(aChange(booking, -20_000));
    expect((await findPayment(booking)).state).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, refundedForChanges: 15_000 },
    });
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 60_000 });
  });

  test('a cancellation and a lower price at the same time refund what both are owed, and no more', async () => {
    for (let round = 0; round < 20; round += 1) {
      const booking = await aPaid();
      const steps = [
        () => giveBackFor(aChange(booking, -20_000)),
        () => cancel(booking, 60_000),
        () => giveBack(ports, booking, 10_000),
      ];
      if (round % 2) steps.reverse();
      await Promise.all(steps.map((step) => step()));
      await finishRefunds(context);
      expect((await findPayment(booking)).state).toMatchObject({
        ...{ status: 'REFUNDED', refunded: 60_000 },
      });
      expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 60_000 });
    }
  });

  test('a cancellation that waits for goodwill owes what the changes leave when that has failed', async () => {
    const booking = await aPaid({ paymentMethod: 'pm_refund_fails' });
    await giveBackFor(aChange(booking, -20_000), away());
    await giveBack(away(), booking, 10_000);
    await cancel(booking, 60_000);
    expect(await context.findObligations(booking.bookingId)).toEqual([
      { amount: 30_000, completed: false },
    ]);
    await finishRefunds(context);
    expect(await context.findObligations(booking.bookingId)).toEqual([
      { amount: 40_000, completed: false },
    ]);
  });
});

describe('the reconciliation', () => {
  test('a record of a booking says what changes gave back, and is passing while one is not ended', async () => {
    const booking = await aPaid();
    const read = paymentRecords(context.pool, ports.provider);
    const find = async () => (await read([booking.bookingId]))[0];
    const acknowledge = () => context.query("UPDATE outbox SET awaiting = '{}'");
    const lost = withProvider(ports, {
      charge: () => Promise.reject(new ProviderUnavailable('no response')),
    });
    const request = aCharge(booking, 15_000);
    await charge(request, lost);
    await acknowledge();
    expect(await find()).toMatchObject({ isPassing: true, amount: 60_000 });
    await charge(request);
    await acknowledge();
    expect(await find()).toMatchObject({ isPassing: false, amount: 75_000, refundedForChanges: 0 });
    await release(request, away());
    await acknowledge();
    expect(await find()).toMatchObject({ isPassing: true });
    await finishRefunds(context);
    await acknowledge();
    expect(await find()).toMatchObject({
      ...{ isPassing: false, refunded: 15_000, refundedForChanges: 15_000 },
      chargedByProvider: true,
    });
  });
});
