import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment, completeRefund } from '../src/application/cancel-payment.ts';
import { retryDueRefunds } from '../src/application/retry-due-refunds.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, type PaymentProvider, ProviderUnavailable } from '../src/ports.ts';
import {
  aRequest,
  MAX_REFUND_ATTEMPTS,
  openPaymentContext,
  type PaymentContext,
} from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const approve = (request: PaymentRequest) => approvePayment(ports, request);
const cancel = (request: PaymentRequest, refund: number, by: PaymentPorts) =>
  cancelPayment(by, { eventId: uuidv7(), booking: request, refund });
const findState = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;

/** The sandbox provider, with some of its calls replaced. */
const withProvider = (changes: Partial<PaymentProvider>): PaymentPorts => ({
  ...ports,
  provider: { ...ports.provider, ...changes },
});

describe('a refund whose provider does not respond', () => {
  /** Completes what other tests left due, so that a run attempts one refund alone. */
  const completeOthers = async () => {
    await context.makeRefundsDue();
    await retryDueRefunds(ports);
  };

  test.each([
    ['before the provider has acted', false],
    ['after the provider has acted', true],
  ])(
    'a refund that fails %s stays owed and is completed once by a later run',
    async (_when, hasActed) => {
      await completeOthers();
      const request = aRequest();
      await approve(request);
      const failing = withProvider({
        async refund(chargeKey, refundKey, amount) {
          if (hasActed) await ports.provider.refund(chargeKey, refundKey, amount);
          throw new ProviderUnavailable('no response');
        },
      });
      await cancel(request, 20_000, failing);
      expect(await findState(request)).toMatchObject({ status: 'APPROVED', version: 2 });
      expect(await context.findObligations(request.bookingId)).toEqual([
        { amount: 20_000, completed: false },
      ]);

      await context.makeRefundsDue();
      expect(await retryDueRefunds(failing)).toBe(1);
      expect(await context.findObligations(request.bookingId)).toEqual([
        { amount: 20_000, completed: false },
      ]);

      await context.makeRefundsDue();
      expect(await retryDueRefunds(ports)).toBe(1);
      expect(await findState(request)).toMatchObject({
        status: 'PARTIALLY_REFUNDED',
        refunded: 20_000,
      });
      expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
        charged: 60_000,
        refunded: 20_000,
      });
      expect(await context.publishedTypes(request.bookingId)).toEqual([
        'PaymentApproved',
        'PaymentCancelled',
      ]);
      await context.makeRefundsDue();
      expect(await retryDueRefunds(ports)).toBe(0);
    },
  );

  test('a refund is never left to operators for lack of a response', async () => {
    await completeOthers();
    const request = aRequest();
    await approve(request);
    const failing = withProvider({ refund: () => Promise.reject(new ProviderUnavailable('gone')) });
    await cancel(request, 20_000, failing);
    for (let attempt = 0; attempt < 3 * MAX_REFUND_ATTEMPTS; attempt += 1) {
      await context.makeRefundsDue();
      expect(await retryDueRefunds(failing)).toBe(1);
    }
    expect(await findState(request)).toMatchObject({ status: 'APPROVED', version: 2 });
    await completeOthers();
    expect(await findState(request)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
  });

  test('ten concurrent attempts complete a refund once', async () => {
    const request = aRequest();
    await approve(request);
    const failing = withProvider({ refund: () => Promise.reject(new ProviderUnavailable('busy')) });
    await cancel(request, 20_000, failing);
    await Promise.all(Array.from({ length: 10 }, () => completeRefund(ports, request.bookingId)));
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 20_000,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      'PaymentApproved',
      'PaymentCancelled',
    ]);
  });
});
