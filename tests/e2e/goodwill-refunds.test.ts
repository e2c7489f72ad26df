import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { listSpace, newCustomer, readProviderLedger } from '../support/customer.ts';
import { describeRouters } from '../support/system.ts';

const REFUND = `mutation ($input: RefundPaymentInput!) {
  refundPayment(input: $input) {
    __typename
    ... on RefundPaymentSuccess { payment { status refunded { amount currency } } }
    ... on Problem { message }
  }
}`;

const AUDIT = `query ($subjectId: ID) {
  paymentAuditLog(subjectId: $subjectId) { edges { node { userId actedAs action details } } }
}`;

describeRouters('goodwill refunds', (system) => {
  async function registered() {
    const space = await listSpace(system, { refundTiers: [{ daysBefore: 1, percent: 100 }] });
    const kim = await newCustomer(system);
    const { booking } = await kim.request(space.id);
    await kim.waitForView(booking.id, { status: 'REGISTERED', paymentStatus: 'APPROVED' });
    const operator = `operator-${randomUUID()}`;
    const token = await system.token(operator, 'operator');
    const id: string = booking.id;
    const refund = async (input: object) => {
      const whole = { bookingId: id, reason: 'the heating was off', ...input };
      const { data, errors } = await system.graphql(token, REFUND, {
        input: { idempotencyKey: randomUUID(), ...whole },
      });
      return errors ? { code: errors[0]?.extensions?.code } : data.refundPayment;
    };
    return { kim, id, operator, token, refund };
  }

  test('an operator gives back a part of a charge once per key, and the customer sees it', async () => {
    const { kim, id, operator, token, refund } = await registered();
    const input = { amount: 5_000, idempotencyKey: randomUUID() };
    const success = {
      __typename: 'RefundPaymentSuccess',
      payment: { status: 'PARTIALLY_REFUNDED', refunded: { amount: 5_000, currency: 'KRW' } },
    };
    expect(await refund(input)).toEqual(success);
    expect(await refund(input)).toEqual(success);
    expect(await refund({ ...input, amount: 6_000 })).toMatchObject({
      __typename: 'IdempotencyKeyReused',
    });
    expect(await refund({ amount: 15_001 })).toEqual({
      __typename: 'InvalidRefund',
      message: 'Of this charge 15000 KRW is left: refund at most that.',
    });
    await kim.waitForView(id, {
      status: 'REGISTERED',
      paymentStatus: 'PARTIALLY_REFUNDED',
      refunded: { amount: 5_000, currency: 'KRW' },
    });
    expect((await readProviderLedger(system, id)).refunded).toBe(5_000);
    const log = await system.graphql(token, AUDIT, { subjectId: id });
    expect(log.data.paymentAuditLog.edges).toEqual([
      {
        node: {
          userId: operator,
          actedAs: 'OPERATOR',
          action: 'refundPayment',
          details: JSON.stringify({ amount: 5_000, reason: 'the heating was off' }),
        },
      },
    ]);
  });

  test('a booking with a goodwill refund is cancelled, and the rest of its charge is refunded', async () => {
    const { kim, id, refund } = await registered();
    await refund({ amount: 5_000 });
    expect((await kim.cancel(id)).__typename).toBe('CancelBookingSuccess');
    await kim.waitForView(id, {
      status: 'CANCELLED',
      paymentStatus: 'REFUNDED',
      refunded: { amount: 20_000 },
    });
    expect(await readProviderLedger(system, id)).toEqual({
      charges: 1,
      charged: 20_000,
      refunded: 20_000,
    });
  });

  test('only operators refund, and a request with bad input is refused with the field at fault', async () => {
    const { kim, id, refund } = await registered();
    const input = { bookingId: id, amount: 1, reason: 'mine', idempotencyKey: 'k' };
    const { errors } = await kim.graphql(REFUND, { input });
    expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    for (const wrong of [
      { amount: 0 },
      { amount: -1 },
      { amount: 1, reason: ' ' },
      { amount: 1, reason: 'x'.repeat(501) },
      { amount: 1, reason: 'two\nlines' },
      { amount: 1, idempotencyKey: '' },
      { amount: 1, idempotencyKey: 'k'.repeat(201) },
      { amount: 1, bookingId: 'none' },
    ]) {
      expect(await refund(wrong)).toEqual({ code: 'BAD_USER_INPUT' });
    }
    expect(await refund({ amount: 1, bookingId: randomUUID() })).toMatchObject({
      __typename: 'PaymentNotFound',
    });
    expect((await readProviderLedger(system, id)).refunded).toBe(0);
  });
});
