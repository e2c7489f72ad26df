import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { paymentRecord } from '#contracts/reconciliation.ts';
import { paymentRecords } from '../src/adapters/booking-records.ts';
import { refundMetrics } from '../src/adapters/refund-metrics.ts';
import { resolvers } from '../src/adapters/resolvers.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment, isClosed } from '../src/application/cancel-payment.ts';
import { resolveRefund } from '../src/application/resolve-refund.ts';
import { retryDueGoodwillRefunds } from '../src/application/retry-due-refunds.ts';
import type { Payment, PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, ProviderUnavailable, RefundRefused } from '../src/ports.ts';
import { findGoodwill, finishRefunds, giveBack, withProvider } from './a-goodwill.ts';
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

async function aPaid(changes: Partial<PaymentRequest> = {}): Promise<PaymentRequest> {
  const request = aRequest(changes);
  await approvePayment(ports, request);
  return request;
}
const cancel = (booking: PaymentRequest, refund: number, by = ports) =>
  cancelPayment(by, { eventId: uuidv7(), booking, refund });
const findPayment = async ({ bookingId }: PaymentRequest): Promise<Payment> => {
  const payment = await ports.payments.findByBooking(bookingId);
  if (!payment) throw new Error('there is no payment');
  return payment;
};
const findEvents = ({ bookingId }: PaymentRequest) =>
  context.query<{ type: string; status: string; refunded: number; goodwill: number }>(
    `SELECT type, payload->>'status' AS status, (payload->>'refunded')::int AS refunded,
            (payload->>'goodwill')::int AS goodwill
       FROM outbox WHERE payload->>'bookingId' = $1 ORDER BY version`,
    [bookingId],
  );
const findAuditEntries = ({ bookingId }: PaymentRequest) =>
  context.query(
    `SELECT user_id, acted_as, action, subject_type, details FROM audit_entry
      WHERE subject_id = $1 ORDER BY id`,
    [bookingId],
  );
const away = () =>
  withProvider(ports, { refund: () => Promise.reject(new ProviderUnavailable('away')) });

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
    const metrics = new Registry();
    refundMetrics(context.pool, metrics);
    expect(await metrics.metrics()).toMatch(/spacerent_refunds_due\{state="failed"\} 1$/m);
    expect(await metrics.metrics()).toMatch(/^spacerent_refund_oldest_due_seconds 0$/m);

    expect(await giveBack(ports, request, 50_000, key)).toMatchObject({ type: 'InvalidRefund' });
    await context.query("UPDATE sandbox_charge SET refunds = 'accept' WHERE key = $1", [
      request.bookingId,
    ]);
    expect(await giveBack(ports, request, 60_000)).toMatchObject({ status: 'REFUNDED' });
    await context.query(
      "UPDATE goodwill_refund SET failed_at = now() - interval '25 hours' WHERE failed_at IS NOT NULL",
    );
    expect(await metrics.metrics()).toMatch(/spacerent_refunds_due\{state="failed"\} 0$/m);
  });

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
