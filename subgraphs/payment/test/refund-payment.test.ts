import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { refundMetrics } from '../src/adapters/refund-metrics.ts';
import { resolvers } from '../src/adapters/resolvers.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import { retryDueGoodwillRefunds } from '../src/application/retry-due-refunds.ts';
import { type PaymentPorts, ProviderUnavailable, RefundRefused } from '../src/ports.ts';
import { findGoodwill, finishRefunds, giveBack, paidBookings, withProvider } from './a-goodwill.ts';
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

const { aPaid, cancel, findPayment, findEvents, findAuditEntries } = paidBookings(() => context);

describe('a goodwill refund', () => {
  test('a goodwill refund is made at once, published, and recorded with its operator and reason', async () => {
    const request = await aPaid();
    expect(await giveBack(ports, request, 20_000)).toMatchObject({
      ...{ status: 'PARTIALLY_REFUNDED', refunded: 20_000, goodwill: 20_000, version: 3 },
    });
    expect(await findEvents(request)).toEqual([
      { type: 'PaymentApproved', status: 'APPROVED', refunded: 0, goodwill: 0 },
      ...[
        {
          type: 'PaymentRefunded',
          status: 'PARTIALLY_REFUNDED',
          refunded: 20_000,
          goodwill: 20_000,
        },
      ],
    ]);
    expect(await findAuditEntries(request)).toEqual([
      {
        ...{
          user_id: 'olga',
          acted_as: 'operator',
          action: 'refundPayment',
          subject_type: 'booking',
        },
        details: { amount: 20_000, reason: 'the heating was off' },
      },
    ]);
    expect(await giveBack(ports, request, 40_000)).toMatchObject({
      ...{ status: 'REFUNDED', refunded: 60_000, goodwill: 60_000 },
    });
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      ...{ charged: 60_000, refunded: 60_000 },
    });
  });

  test('a repeated key refunds once and returns the payment, also to another operator', async () => {
    const request = await aPaid();
    const key = { idempotencyKey: uuidv7() };
    const first = await giveBack(ports, request, 20_000, key);
    expect(await giveBack(ports, request, 20_000, key)).toEqual(first);
    expect(await giveBack(ports, request, 20_000, { ...key, operatorId: 'otto' })).toEqual(first);
    expect(await findGoodwill(context, request)).toHaveLength(1);
    expect(await findAuditEntries(request)).toHaveLength(1);
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(20_000);
  });

  test('a key that was used for another refund is refused, also where nothing could be refunded', async () => {
    const request = await aPaid();
    const key = { idempotencyKey: uuidv7() };
    await giveBack(ports, request, 20_000, key);
    const reused = { type: 'IdempotencyKeyReused', message: expect.any(String) };
    expect(await giveBack(ports, request, 20_001, key)).toEqual(reused);
    expect(await giveBack(ports, request, 20_000, { ...key, reason: 'noise' })).toEqual(reused);
    expect(await giveBack(ports, await aPaid(), 20_000, key)).toEqual(reused);
    expect(await giveBack(ports, aRequest(), 20_000, key)).toEqual(reused);
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(20_000);
  });

  test('a refund of more than is left is refused with what is left, and leaves no trace', async () => {
    const request = await aPaid();
    await cancel(request, 30_000);
    await giveBack(ports, request, 10_000);
    const before = await findAuditEntries(request);
    expect(await giveBack(ports, request, 20_001)).toEqual({
      ...{
        type: 'InvalidRefund',
        message: 'Of this charge 20000 KRW is left: refund at most that.',
      },
    });
    expect(await findAuditEntries(request)).toEqual(before);
    expect(await giveBack(ports, request, 20_000)).toMatchObject({ status: 'REFUNDED' });
  });

  test('a charge that was not made is not refunded', async () => {
    const pending = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approvePayment(ports, pending)).state.status).toBe('PENDING');
    expect(await giveBack(ports, pending, 1)).toMatchObject({ type: 'InvalidRefund' });
    const declined = await aPaid({ paymentMethod: 'pm_declined' });
    expect(await giveBack(ports, declined, 1)).toMatchObject({ type: 'InvalidRefund' });
    await cancel(pending, 60_000);
    expect(await giveBack(ports, pending, 1)).toMatchObject({ type: 'PaymentNotFound' });
    expect(await giveBack(ports, aRequest(), 1)).toMatchObject({ type: 'PaymentNotFound' });
  });

  test('a payment with a goodwill refund is still approved for book, and is charged once', async () => {
    const request = await aPaid();
    await giveBack(ports, request, 60_000);
    const { Mutation, Query } = resolvers(ports);
    const repeated = await Mutation.approvePayment(null, { input: request });
    const found = await Query.paymentOutcome(null, { bookingId: request.bookingId });
    for (const outcome of [repeated, found]) {
      expect(outcome?.status).toBe('APPROVED');
      expect(await outcome?.isClosed()).toBe(false);
    }
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      ...{ charged: 60_000, refunded: 60_000 },
    });
  });
});

describe('a goodwill refund whose provider does not respond', () => {
  test.each([
    ['before the provider has acted', false],
    ['after the provider has acted', true],
  ])('a goodwill refund that fails %s is made once by a later run', async (_, hasActed) => {
    const request = await aPaid();
    const failing = withProvider(ports, {
      async refund(chargeKey, refundKey, amount) {
        if (hasActed) await ports.provider.refund(chargeKey, refundKey, amount);
        throw new ProviderUnavailable('no response');
      },
    });
    const key = { idempotencyKey: uuidv7() };
    const pending = { status: 'APPROVED', refunded: 0, goodwill: 0, version: 2 };
    expect(await giveBack(failing, request, 20_000, key)).toMatchObject(pending);
    expect(await giveBack(failing, request, 20_000, key)).toMatchObject(pending);
    for (let attempt = 0; attempt < 2 * MAX_REFUND_ATTEMPTS; attempt += 1) {
      await context.makeRefundsDue();
      expect(await retryDueGoodwillRefunds(failing)).toBe(1);
    }
    expect(await findGoodwill(context, request)).toEqual([{ amount: 20_000, state: 'due' }]);
    expect(await retryDueGoodwillRefunds(ports)).toBe(0);
    await context.makeRefundsDue();
    expect(await retryDueGoodwillRefunds(ports)).toBe(1);
    expect((await findPayment(request)).state).toMatchObject({ goodwill: 20_000, version: 3 });
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(20_000);
    await context.makeRefundsDue();
    expect(await retryDueGoodwillRefunds(ports)).toBe(0);
  });
});

describe('a goodwill refund that the provider keeps refusing', () => {
  test('a refused goodwill refund ends as failed, in audit log, log and metrics, and frees its amount', async () => {
    const request = await aPaid({ paymentMethod: 'pm_refund_fails' });
    const key = { idempotencyKey: uuidv7() };
    expect(await giveBack(ports, request, 50_000, key)).toMatchObject({ status: 'APPROVED' });
    expect(await giveBack(ports, request, 10_001)).toMatchObject({ type: 'InvalidRefund' });
    await finishRefunds(context);
    expect(await findGoodwill(context, request)).toEqual([{ amount: 50_000, state: 'failed' }]);
    expect((await findPayment(request)).state).toMatchObject({ status: 'APPROVED', version: 2 });
    expect(await context.publishedTypes(request.bookingId)).toEqual(['PaymentApproved']);
    expect(await findAuditEntries(request)).toMatchObject([
      { details: { amount: 50_000, reason: 'the heating was off' } },
      {
        ...{ user_id: 'olga', action: 'refundPayment' },
        details: { amount: 50_000, reason: 'the heating was off', outcome: 'failed' },
      },
    ]);
    expect(context.logged).toContain('error: goodwill refund failed: nothing was given back');
    const text = await readMetrics();
    expect(text).toMatch(/spacerent_refunds_due\{state="failed"\} 1$/m);
    expect(text).toMatch(/^spacerent_refund_oldest_due_seconds 0$/m);

    expect(await giveBack(ports, request, 50_000, key)).toMatchObject({ type: 'InvalidRefund' });
    await context.query("UPDATE sandbox_charge SET refunds = 'accept' WHERE key = $1", [
      request.bookingId,
    ]);
    expect(await giveBack(ports, request, 60_000)).toMatchObject({ status: 'REFUNDED' });
    await context.query(
      "UPDATE goodwill_refund SET failed_at = now() - interval '25 hours' WHERE failed_at IS NOT NULL",
    );
    expect(await readMetrics()).toMatch(/spacerent_refunds_due\{state="failed"\} 0$/m);
  });

  /** Of a new process: one that has read its gauges shows the same for two seconds. */
  function readMetrics(): Promise<string> {
    const metrics = new Registry();
    refundMetrics(context.pool, metrics);
    return metrics.metrics();
  }

  test('a refund that reached the provider after it had failed is recorded as far as it is left', async () => {
    const request = await aPaid();
    let attempts = 0;
    const late = withProvider(ports, {
      async refund(chargeKey, refundKey, amount) {
        attempts += 1;
        if (attempts > 1) throw new RefundRefused('not now');
        // Frozen before its request was sent, while other attempts were refused.
        for (let round = 0; round < MAX_REFUND_ATTEMPTS; round += 1) {
          await context.makeRefundsDue();
          await retryDueGoodwillRefunds(late);
        }
        expect(await findGoodwill(context, request)).toEqual([{ amount: 20_000, state: 'failed' }]);
        await ports.provider.refund(chargeKey, refundKey, amount);
      },
    });
    expect(await giveBack(late, request, 20_000)).toMatchObject({ goodwill: 20_000 });
    expect(await findGoodwill(context, request)).toEqual([{ amount: 20_000, state: 'completed' }]);
  });
});
