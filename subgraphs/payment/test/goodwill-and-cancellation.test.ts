import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { paymentRecord } from '#contracts/reconciliation.ts';
import { paymentRecords } from '../src/adapters/booking-records.ts';
import { isClosed } from '../src/application/cancel-payment.ts';
import { resolveRefund } from '../src/application/resolve-refund.ts';
import { type PaymentPorts, RefundRefused } from '../src/ports.ts';
import { findGoodwill, finishRefunds, giveBack, paidBookings, withProvider } from './a-goodwill.ts';
import { openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, cancel, findPayment, findEvents, away } = paidBookings(() => context);

describe('a cancellation beside goodwill refunds', () => {
  test.each([
    [20_000, 60_000, 40_000, 'REFUNDED'],
    [20_000, 30_000, 30_000, 'PARTIALLY_REFUNDED'],
    [20_000, 0, 0, 'PARTIALLY_REFUNDED'],
    [60_000, 60_000, 0, 'REFUNDED'],
  ] as const)(
    'a charge of which %d was given back, cancelled at a quote of %d, refunds %d more',
    async (goodwill, quote, refunded, status) => {
      const request = await aPaid();
      await giveBack(ports, request, goodwill);
      await cancel(request, quote);
      const payment = await findPayment(request);
      expect(payment.state).toMatchObject({ status, goodwill, refunded: goodwill + refunded });
      expect(await isClosed(ports, payment)).toBe(true);
      expect(await findEvents(request)).toMatchObject([
        { type: 'PaymentApproved' },
        { type: 'PaymentRefunded', refunded: goodwill, goodwill },
        { type: 'PaymentCancelled', status, refunded: goodwill + refunded, goodwill },
      ]);
      expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(
        goodwill + refunded,
      );
    },
  );

  test('a goodwill refund of the rest follows a cancellation that refunded a half', async () => {
    const request = await aPaid();
    await cancel(request, 30_000);
    expect(await giveBack(ports, request, 30_000)).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, goodwill: 30_000 },
    });
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(60_000);
  });

  test('a cancellation waits for a goodwill refund under way, and refunds what that leaves', async () => {
    const request = await aPaid();
    await giveBack(away(), request, 20_000);
    await cancel(request, 60_000);
    expect((await findPayment(request)).state).toMatchObject({ status: 'APPROVED', refunded: 0 });
    await finishRefunds(context);
    expect((await findPayment(request)).state).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, goodwill: 20_000 },
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      ...['PaymentApproved', 'PaymentRefunded', 'PaymentCancelled'],
    ]);
  });

  test('a cancellation refunds as quoted when the goodwill refund that it waited for fails', async () => {
    const request = await aPaid();
    await giveBack(away(), request, 20_000);
    await giveBack(away(), request, 15_000);
    await cancel(request, 60_000);
    const [refused] = await context.query<{ id: string }>(
      'SELECT id FROM goodwill_refund WHERE amount = 20000 AND payment_id = $1',
      [(await findPayment(request)).state.id],
    );
    const refusing = withProvider(ports, {
      async refund(chargeKey, refundKey, amount) {
        if (refundKey === refused?.id) throw new RefundRefused('not this one');
        await ports.provider.refund(chargeKey, refundKey, amount);
      },
    });
    await finishRefunds({ ...context, ports: refusing });
    expect(await findGoodwill(context, request)).toEqual([
      { amount: 20_000, state: 'failed' },
      { amount: 15_000, state: 'completed' },
    ]);
    expect(await context.findObligations(request.bookingId)).toEqual([
      { amount: 45_000, completed: true },
    ]);
    expect((await findPayment(request)).state).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, goodwill: 15_000 },
    });
  });

  test('a cancellation that a goodwill refund under way does not limit is refunded at once', async () => {
    const request = await aPaid();
    await giveBack(away(), request, 20_000);
    await cancel(request, 40_000);
    expect((await findPayment(request)).state).toMatchObject({ refunded: 40_000, goodwill: 0 });
    await finishRefunds(context);
    expect((await findPayment(request)).state).toMatchObject({
      refunded: 60_000,
      goodwill: 20_000,
    });
  });

  test.each(['RETRY', 'SETTLED_OUTSIDE'] as const)(
    'a cancellation whose refund fails after a goodwill refund is left to operators, and ended by %s',
    async (resolution) => {
      const request = await aPaid();
      const { bookingId } = request;
      const setRefunds = (refunds: string) =>
        context.query('UPDATE sandbox_charge SET refunds = $2 WHERE key = $1', [
          bookingId,
          refunds,
        ]);
      await giveBack(ports, request, 20_000);
      await setRefunds('refuse');
      await cancel(request, 60_000);
      await finishRefunds(context);
      expect((await findPayment(request)).state).toMatchObject({
        ...{ status: 'REFUND_FAILED', refunded: 20_000, goodwill: 20_000 },
      });
      expect(await giveBack(ports, request, 1)).toMatchObject({ type: 'InvalidRefund' });
      await setRefunds('accept');
      const decision = { operatorId: 'olga', reason: 'the card is new' };
      expect(await resolveRefund(ports, bookingId, resolution, decision)).toMatchObject({
        state: { status: 'REFUNDED', refunded: 60_000, goodwill: 20_000 },
      });
      const sums = await context.chargedAndRefunded(bookingId);
      expect(sums?.refunded).toBe(resolution === 'RETRY' ? 60_000 : 20_000);
    },
  );
});

describe('the record of a payment for the reconciliation', () => {
  test('a record has the goodwill apart from what is due, and passes while a refund is under way', async () => {
    const request = await aPaid();
    const readRecords = paymentRecords(context.pool, ports.provider);
    const readRecord = async () => {
      await context.query("UPDATE outbox SET awaiting = '{}'");
      return paymentRecord.parse((await readRecords([request.bookingId]))[0]);
    };
    await giveBack(away(), request, 20_000);
    expect(await readRecord()).toMatchObject({ isPassing: true, refunded: 0, goodwill: 0 });
    await finishRefunds(context);
    await cancel(request, 60_000);
    expect(await readRecord()).toMatchObject({
      ...{ isPassing: false, refunded: 60_000, goodwill: 20_000, refundDue: 40_000 },
    });
  });

  test('a record of release 0.2.0 says nothing of goodwill: there is none', () => {
    const record = { bookingId: uuidv7(), paymentId: uuidv7(), status: 'APPROVED', amount: 1 };
    const rest = { refunded: 0, refundDue: null, isPassing: false, chargedByProvider: true };
    expect(paymentRecord.parse({ ...record, ...rest }).goodwill).toBe(0);
  });
});
