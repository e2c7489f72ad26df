import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { leaseMs } from '../src/adapters/prisma-payment-store.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import type { Payment } from '../src/domain/payment.ts';
import type { PaymentStore } from '../src/ports.ts';
import { aTombstone, createPayment, legal } from './a-payment.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let store: PaymentStore;

beforeAll(async () => {
  context = await openPaymentContext();
  store = context.ports.payments;
});
afterAll(() => context?.close());

const findStored = async (payment: Payment) => store.findByBooking(payment.state.bookingId);

describe('the leases of due refunds', () => {
  test('a due refund is leased to one of several processes, within their limits, until it is completed', async () => {
    await context.query('DELETE FROM refund');
    const payments: Payment[] = [];
    for (let index = 0; index < 20; index += 1) {
      const payment = await approvePayment(context.ports, aRequest());
      await store.recordRefundObligation(aTombstone(payment), 60_000, uuidv7());
      payments.push(payment);
    }
    const all = payments.map(({ state }) => state.bookingId).sort();
    const [first] = payments as [Payment];
    expect(await store.claimDueRefunds(50)).toEqual([]);

    await context.makeRefundsDue();
    const claims = await Promise.all([
      store.claimDueRefunds(8),
      store.claimDueRefunds(8),
      store.claimDueRefunds(8),
    ]);
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(8);
    const rest = await store.claimDueRefunds(50);
    expect([...claims.flat(), ...rest].sort()).toEqual(all);
    expect(await store.claimDueRefunds(50)).toEqual([]);

    const refunded = legal((await findStored(first))?.refund(60_000) as Payment);
    await store.save(first, refunded, 'PaymentCancelled', { completesRefund: true });
    await context.makeRefundsDue();
    expect((await store.claimDueRefunds(50)).sort()).toEqual(
      all.filter((bookingId) => bookingId !== first.state.bookingId),
    );
  });

  test('a lease lasts longer than the attempts that it covers', async () => {
    await context.query('DELETE FROM refund');
    const payment = await createPayment(store);
    await store.recordRefundObligation(aTombstone(payment), 1, uuidv7());
    await context.makeRefundsDue();
    expect(await store.claimDueRefunds(1)).toEqual([payment.state.bookingId]);
    const [lease] = await context.query<{ ms: number }>(
      'SELECT extract(epoch FROM next_attempt_at - now())::float * 1000 AS ms FROM refund',
    );
    // Measured a moment later than it began.
    expect(lease?.ms).toBeGreaterThan(4_000);
    expect(leaseMs(10_000)).toBeGreaterThan(2 * 10_000);
  });

  test('a refund is postponed only by the process that has its newest lease', async () => {
    await context.query('DELETE FROM refund');
    const payment = await createPayment(store);
    await store.recordRefundObligation(aTombstone(payment), 1, uuidv7());
    const before = await store.findRefund(payment.state.id);
    if (!before) throw new Error('no refund is owed');
    await context.makeRefundsDue();
    await store.claimDueRefunds(1);
    const dueAt = () => context.query('SELECT next_attempt_at FROM refund');
    const leased = await dueAt();
    await store.postponeRefund(before);
    expect(await store.refuseRefund(before)).toBe(1);
    expect(await dueAt()).toEqual(leased);
  });
});

describe('a refund that another process is leasing', () => {
  test('a refund that another process is leasing is skipped without waiting', async () => {
    await context.query('DELETE FROM refund');
    const [busy, idle] = [await createPayment(store), await createPayment(store)];
    for (const payment of [busy, idle])
      await store.recordRefundObligation(aTombstone(payment), 1, uuidv7());
    await context.makeRefundsDue();
    const claimed = await context.whileLocked(
      `SELECT FROM refund WHERE payment_id = '${busy.state.id}' FOR UPDATE`,
      () => store.claimDueRefunds(10),
    );
    expect(claimed).toEqual([idle.state.bookingId]);
  });
});
