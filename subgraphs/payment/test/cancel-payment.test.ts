import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts, PaymentProvider } from '../src/ports.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const approve = (request: PaymentRequest, by = ports) => approvePayment(by, request);
const cancel = (request: PaymentRequest, refund = request.amount, eventId = uuidv7()) =>
  cancelPayment(ports, { eventId, booking: request, refund });
const findState = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;

/** The sandbox provider, with some of its calls replaced. */
const withProvider = (changes: Partial<PaymentProvider>): PaymentPorts => ({
  ...ports,
  provider: { ...ports.provider, ...changes },
});

describe('the cancellation of a payment', () => {
  test('a cancellation before the charge voids the payment, and nothing is charged afterwards', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    await cancel(request);
    expect((await approve(request)).state.status).toBe('VOIDED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 0,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentCancelled']);
    expect(await context.findObligations(request.bookingId)).toEqual([
      { amount: 60_000, completed: true },
    ]);
  });

  test('a cancellation before any request leaves a tombstone that refuses a later approval', async () => {
    const request = aRequest();
    await cancel(request);
    expect((await approve(request)).state.status).toBe('VOIDED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 0,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test('a cancellation while the charge is on its way to the provider prevents it', async () => {
    const request = aRequest();
    const interleaved = withProvider({
      async charge(charge) {
        await cancel(request);
        return ports.provider.charge(charge);
      },
    });
    expect((await approve(request, interleaved)).state.status).toBe('VOIDED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 0,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test('a cancellation while the provider’s response is on its way refunds the charge, which is not published', async () => {
    const request = aRequest();
    const interleaved = withProvider({
      async charge(charge) {
        const response = await ports.provider.charge(charge);
        await cancel(request);
        return response;
      },
    });
    expect((await approve(request, interleaved)).state.status).toBe('REFUNDED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 60_000,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test('a cancellation refunds a charge whose response was lost, which is not published', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_paid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    await cancel(request);
    expect(await findState(request)).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 60_000,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test.each([
    [60_000, 'REFUNDED', 60_000],
    [20_000, 'PARTIALLY_REFUNDED', 20_000],
    [0, 'APPROVED', 0],
    [99_999, 'REFUNDED', 60_000],
  ] as const)(
    'a charged payment cancelled at a quote of %d is %s with %d refunded',
    async (quote, status, refunded) => {
      const request = aRequest();
      await approve(request);
      await cancel(request, quote);
      expect(await findState(request)).toMatchObject({ status, refunded, version: 3 });
      expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
        charged: 60_000,
        refunded,
      });
      expect(await context.publishedTypes(request.bookingId)).toEqual([
        'PaymentApproved',
        'PaymentCancelled',
      ]);
      expect(await context.findObligations(request.bookingId)).toEqual([
        { amount: refunded, completed: true },
      ]);
    },
  );

  test('a cancelled payment that was declined publishes that nothing is owed', async () => {
    const request = aRequest({ paymentMethod: 'pm_declined' });
    await approve(request);
    await cancel(request);
    expect(await findState(request)).toMatchObject({ status: 'DECLINED', refunded: 0, version: 3 });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      'PaymentDeclined',
      'PaymentCancelled',
    ]);
  });

  test.each([
    ['paid', async (request: PaymentRequest) => void (await approve(request))],
    ['unknown', async () => {}],
  ])(
    'a %s payment cancelled again, by the same event and by another, is refunded once',
    async (_what, before) => {
      const request = aRequest();
      await before(request);
      const eventId = uuidv7();
      await cancel(request, 60_000, eventId);
      const ended = await findState(request);
      await cancel(request, 60_000, eventId);
      await cancel(request, 60_000, uuidv7());
      expect(await findState(request)).toEqual(ended);
      const sums = await context.chargedAndRefunded(request.bookingId);
      expect(sums?.charged).toBe(sums?.refunded);
      const types = await context.publishedTypes(request.bookingId);
      expect(types.filter((type) => type === 'PaymentCancelled')).toHaveLength(1);
      const obligations = await context.findObligations(request.bookingId);
      expect(obligations.every(({ completed }) => completed)).toBe(true);
    },
  );

  test('ten concurrent cancellations refund once', async () => {
    const request = aRequest();
    await approve(request);
    await Promise.all(Array.from({ length: 10 }, () => cancel(request, 20_000)));
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 20_000,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      'PaymentApproved',
      'PaymentCancelled',
    ]);
  });

  test('a concurrent approval and cancellation keep no money and publish one end, fifty times', async () => {
    const methods = ['pm_ok', 'pm_ok', 'pm_timeout_paid', 'pm_timeout_unpaid', 'pm_declined'];
    const requests = Array.from({ length: 50 }, (_, index) =>
      aRequest({ paymentMethod: methods[index % methods.length] as string }),
    );
    for (const [index, request] of requests.entries()) {
      const approval = () => approve(request).catch(() => undefined);
      const order =
        index % 2 ? [approval, () => cancel(request)] : [() => cancel(request), approval];
      await Promise.all(order.map((step) => step()));
    }
    for (const request of requests) {
      await approve(request);
      const sums = await context.chargedAndRefunded(request.bookingId);
      expect((sums?.charged ?? 0) - (sums?.refunded ?? 0)).toBe(0);
      const types = await context.publishedTypes(request.bookingId);
      expect(types.filter((type) => type === 'PaymentCancelled')).toHaveLength(1);
      expect(types.at(-1)).toBe('PaymentCancelled');
    }
  });
});
