import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, ProviderUnavailable } from '../src/ports.ts';
import { finishRefunds, giveBack, withProvider } from './a-goodwill.ts';
import { creation } from './a-payment.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';
import { COMPLETE, OWE } from './previous-release.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

async function aPaid(): Promise<PaymentRequest> {
  const request = aRequest();
  await approvePayment(ports, request);
  return request;
}
const owe = ({ bookingId }: PaymentRequest, refund: number) =>
  context.query(OWE, [bookingId, refund, 60_000]);
const complete = ({ bookingId }: PaymentRequest, refund: number, status: string) =>
  context.query(COMPLETE, [bookingId, refund, status]);
const findState = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;
const findDue = async ({ bookingId }: PaymentRequest) => {
  const payment = await ports.payments.findByBooking(bookingId);
  return ports.payments.findRefund(String(payment?.state.id));
};

describe('the previous release beside goodwill refunds', () => {
  test('its cancellation owes no more than completed goodwill refunds leave, and is ended by this release', async () => {
    const request = await aPaid();
    await giveBack(ports, request, 20_000);
    await owe(request, 60_000);
    expect(await findDue(request)).toMatchObject({ amount: 40_000, isDue: true });
    await finishRefunds(context);
    expect(await findState(request)).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(60_000);
  });

  test('its cancellation beside a goodwill refund under way stays within the charge, and both complete', async () => {
    const request = await aPaid();
    const away = withProvider(ports, { refund: () => Promise.reject(new ProviderUnavailable('')) });
    await giveBack(away, request, 20_000);
    await owe(request, 60_000);
    // It does not wait: it is being attempted, at an amount that is final.
    expect(await findDue(request)).toMatchObject({ amount: 40_000, isDue: true });
    await complete(request, 40_000, 'PARTIALLY_REFUNDED');
    await finishRefunds(context);
    expect(await findState(request)).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, goodwill: 20_000 },
    });
  });

  test.each([20_000, 40_000])(
    'it cannot end a refund of %d without counting a goodwill refund that is completed',
    async (refund) => {
      const request = await aPaid();
      await giveBack(ports, request, 20_000);
      await owe(request, refund);
      await expect(complete(request, refund, 'PARTIALLY_REFUNDED')).rejects.toThrow(
        'refunded is not the sum of its refunds',
      );
      expect(await findDue(request)).toMatchObject({ amount: refund, completed: false });
      await finishRefunds(context);
      expect(await findState(request)).toMatchObject({ refunded: 20_000 + refund });
    },
  );

  test('a cancellation that waits for a goodwill refund is not due for it', async () => {
    const request = await aPaid();
    const away = withProvider(ports, { refund: () => Promise.reject(new ProviderUnavailable('')) });
    await giveBack(away, request, 20_000);
    await ports.payments.recordRefundObligation(
      Payment.tombstone(request, creation()),
      60_000,
      uuidv7(),
    );
    await context.makeRefundsDue();
    expect(await ports.payments.claimDueRefunds(10)).toEqual([]);
    await finishRefunds(context);
    expect(await findState(request)).toMatchObject({ refunded: 60_000, goodwill: 20_000 });
  });
});
