import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment, paymentOutcome } from '../src/application/approve-payment.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const approve = (request: PaymentRequest) => approvePayment(ports, request);
const findState = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;

describe('the approval of a payment', () => {
  test('a repeated approval charges once and returns the same payment', async () => {
    const request = aRequest();
    const first = await approve(request);
    const second = await approve(request);
    expect(first.state).toMatchObject({ status: 'APPROVED', version: 2 });
    expect(second).toEqual(first);
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentApproved']);
  });

  test('twenty concurrent approvals charge once', async () => {
    const request = aRequest();
    const results = await Promise.all(Array.from({ length: 20 }, () => approve(request)));
    for (const { state } of results) expect(state.status).toBe('APPROVED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentApproved']);
  });

  test.each(['pm_declined', 'pm_unheard_of'])(
    'a payment with %s is declined, also when it is requested again',
    async (paymentMethod) => {
      const request = aRequest({ paymentMethod });
      expect((await approve(request)).state).toMatchObject({ status: 'DECLINED', version: 2 });
      expect((await approve({ ...request, paymentMethod: 'pm_ok' })).state.status).toBe('DECLINED');
      expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
        charged: 0,
        refunded: 0,
      });
      expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentDeclined']);
    },
  );

  test('an approval without a response is pending, and is found when it is requested again', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_paid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    expect(await findState(request)).toMatchObject({ status: 'PENDING' });
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });

    expect((await approve(request)).state.status).toBe('APPROVED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentApproved']);
  });

  test('the outcome of a payment finds a lost approval, and charges nothing', async () => {
    const paid = aRequest({ paymentMethod: 'pm_timeout_paid' });
    const unpaid = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approve(paid)).state.status).toBe('PENDING');
    expect((await approve(unpaid)).state.status).toBe('PENDING');
    expect((await paymentOutcome(ports, paid.bookingId))?.state.status).toBe('APPROVED');
    expect((await paymentOutcome(ports, unpaid.bookingId))?.state.status).toBe('PENDING');
    expect(await paymentOutcome(ports, uuidv7())).toBeNull();
    expect(await context.chargedAndRefunded(unpaid.bookingId)).toEqual({ charged: 0, refunded: 0 });
  });

  test('an approval whose request is lost charges nothing until it is requested again', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 0,
      refunded: 0,
    });
    expect((await approve(request)).state.status).toBe('APPROVED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
  });

  test('an approval by a busy provider is pending twice, and then approved', async () => {
    const request = aRequest({ paymentMethod: 'pm_busy' });
    expect((await approve(request)).state.status).toBe('PENDING');
    expect((await approve(request)).state.status).toBe('PENDING');
    expect((await approve(request)).state.status).toBe('APPROVED');
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
  });
});
