import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { refundMetrics } from '../src/adapters/refund-metrics.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { type RefundResolution, resolveRefund } from '../src/application/resolve-refund.ts';
import { retryDueRefunds } from '../src/application/retry-due-refunds.ts';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
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

const findState = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;
const withProvider = (changes: Partial<PaymentProvider>): PaymentPorts => ({
  ...ports,
  provider: { ...ports.provider, ...changes },
});
const PUBLISHED = ['PaymentApproved', 'PaymentRefundFailed'];

/** A payment whose refund has failed, because the provider kept refusing it. */
async function aFailedRefund(refund = 20_000): Promise<PaymentRequest> {
  const request = aRequest({ paymentMethod: 'pm_refund_fails' });
  await approvePayment(ports, request);
  await cancelPayment(ports, { eventId: uuidv7(), booking: request, refund });
  for (let attempt = 1; attempt < MAX_REFUND_ATTEMPTS; attempt += 1) {
    expect(await findState(request)).toMatchObject({ status: 'APPROVED', version: 2 });
    await context.makeRefundsDue();
    await retryDueRefunds(ports);
  }
  return request;
}

const resolve = (
  { bookingId }: PaymentRequest,
  resolution: RefundResolution,
  by: PaymentPorts = ports,
  operatorId = 'op',
) => resolveRefund(by, bookingId, resolution, { operatorId, reason: 'the customer called' });

const findAuditEntries = ({ bookingId }: PaymentRequest) =>
  context.query<{ user_id: string; details: object }>(
    `SELECT user_id, acted_as, action, subject_type, details FROM audit_entry WHERE subject_id = $1`,
    [bookingId],
  );

/** Makes the provider accept the booking's refund from now on. */
const acceptRefunds = ({ bookingId }: PaymentRequest) =>
  context.query("UPDATE sandbox_charge SET refunds = 'accept' WHERE key = $1", [bookingId]);

describe('a refund that the provider keeps refusing', () => {
  test('a refused refund fails after MAX_REFUND_ATTEMPTS refusals, is published, and is not retried', async () => {
    const request = await aFailedRefund();
    expect(await findState(request)).toMatchObject({
      status: 'REFUND_FAILED',
      refunded: 0,
      version: 3,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual(PUBLISHED);
    expect(await context.findObligations(request.bookingId)).toEqual([
      { amount: 20_000, completed: false },
    ]);
    await context.makeRefundsDue();
    expect(await retryDueRefunds(ports)).toBe(0);
    expect(context.logged.filter((line) => line.startsWith('error: refund failed'))).not.toEqual(
      [],
    );
    expect(context.logged).toContain('warn: refund refused by the provider');
  });

  test('open refunds are counted by their state, with the age of the oldest', async () => {
    await context.query('UPDATE refund SET settled_at = now() WHERE settled_at IS NULL');
    await aFailedRefund();
    await context.query(
      "UPDATE refund SET owed_at = now() - interval '1 hour' WHERE settled_at IS NULL",
    );
    const metrics = new Registry();
    refundMetrics(context.pool, metrics);
    const text = await metrics.metrics();
    expect(text).toMatch(/spacerent_refunds_due\{state="failed"\} 1$/m);
    expect(text).toMatch(/spacerent_refunds_due\{state="owed"\} 0$/m);
    const age = /^spacerent_refund_oldest_due_seconds (\S+)/m.exec(text)?.[1];
    expect(Number(age)).toBeGreaterThanOrEqual(3_600);
  });
});

describe('an operator’s RETRY', () => {
  test('a RETRY that the provider accepts completes the refund once, under its original key', async () => {
    const request = await aFailedRefund();
    await acceptRefunds(request);
    const keys = new Set<string>();
    const counting = withProvider({
      refund(chargeKey, refundKey, amount) {
        keys.add(refundKey);
        return ports.provider.refund(chargeKey, refundKey, amount);
      },
    });
    const results = await Promise.all(
      Array.from({ length: 5 }, () => resolve(request, 'RETRY', counting)),
    );
    for (const result of results) expect(result).toBeInstanceOf(Payment);
    expect(keys.size).toBe(1);
    expect([...keys]).not.toEqual([request.bookingId]);
    expect(await findState(request)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 20_000,
      version: 4,
    });
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 20_000,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      ...PUBLISHED,
      'PaymentCancelled',
    ]);
    expect(await findAuditEntries(request)).toEqual([
      {
        user_id: 'op',
        acted_as: 'operator',
        action: 'resolveRefund',
        subject_type: 'booking',
        details: { resolution: 'RETRY', reason: 'the customer called' },
      },
    ]);
  });

  test('a RETRY that the provider refuses leaves the refund failed, and publishes nothing more', async () => {
    const request = await aFailedRefund();
    expect(await resolve(request, 'RETRY')).toMatchObject({ state: { status: 'REFUND_FAILED' } });
    expect(await resolve(request, 'RETRY')).toMatchObject({ state: { status: 'REFUND_FAILED' } });
    expect(await findState(request)).toMatchObject({ status: 'REFUND_FAILED', version: 3 });
    expect(await context.publishedTypes(request.bookingId)).toEqual(PUBLISHED);
    expect(await findAuditEntries(request)).toHaveLength(2);
    expect(await retryDueRefunds(ports)).toBe(0);
  });

  test('a RETRY without a response is retried by the next run for due refunds', async () => {
    const request = await aFailedRefund();
    await acceptRefunds(request);
    const silent = withProvider({ refund: () => Promise.reject(new ProviderUnavailable('gone')) });
    expect(await resolve(request, 'RETRY', silent)).toMatchObject({
      state: { status: 'REFUND_FAILED' },
    });
    expect(await resolve(request, 'SETTLED_OUTSIDE')).toMatchObject({ type: 'InvalidRefund' });
    await context.makeRefundsDue();
    await retryDueRefunds(ports);
    expect(await findState(request)).toMatchObject({ status: 'PARTIALLY_REFUNDED', version: 4 });
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 20_000,
    });
  });
});

describe('an operator’s SETTLED_OUTSIDE', () => {
  test('SETTLED_OUTSIDE ends the payment as quoted without the provider, once, also when repeated', async () => {
    const request = await aFailedRefund(60_000);
    const results = await Promise.all(
      ['op-1', 'op-2', 'op-3'].map((by) => resolve(request, 'SETTLED_OUTSIDE', ports, by)),
    );
    for (const result of results) {
      expect(result).toMatchObject({ state: { status: 'REFUNDED', refunded: 60_000, version: 4 } });
    }
    expect(await context.chargedAndRefunded(request.bookingId)).toEqual({
      charged: 60_000,
      refunded: 0,
    });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      ...PUBLISHED,
      'PaymentCancelled',
    ]);
    expect(await context.findObligations(request.bookingId)).toEqual([
      { amount: 60_000, completed: true },
    ]);
    expect(await findAuditEntries(request)).toHaveLength(1);
    expect(await resolve(request, 'RETRY')).toMatchObject({ type: 'InvalidRefund' });
    await context.makeRefundsDue();
    expect(await retryDueRefunds(ports)).toBe(0);
  });

  test('SETTLED_OUTSIDE, a RETRY and a run for due refunds at the same time refund in one way alone', async () => {
    for (let round = 0; round < 15; round += 1) {
      const request = await aFailedRefund();
      await acceptRefunds(request);
      const actions = [
        () => resolve(request, 'RETRY', ports, 'op-1'),
        () => resolve(request, 'SETTLED_OUTSIDE', ports, 'op-2'),
        () => retryDueRefunds(ports),
      ];
      if (round % 2) actions.reverse();
      await Promise.all(actions.map((act) => act()));
      expect(await findState(request)).toMatchObject({
        status: 'PARTIALLY_REFUNDED',
        refunded: 20_000,
      });
      const [refund] = await context.query<{ settled_outside: boolean }>(
        'SELECT settled_outside FROM refund r JOIN payment p ON p.id = payment_id WHERE booking_id = $1',
        [request.bookingId],
      );
      const sums = await context.chargedAndRefunded(request.bookingId);
      expect(sums?.refunded).toBe(refund?.settled_outside ? 0 : 20_000);
      expect(await context.publishedTypes(request.bookingId)).toEqual([
        ...PUBLISHED,
        'PaymentCancelled',
      ]);
      expect(await findAuditEntries(request)).toHaveLength(1);
    }
  });
});

describe('a resolution without a failed refund', () => {
  test.each(['RETRY', 'SETTLED_OUTSIDE'] as const)(
    '%s is refused for a booking whose refund has not failed',
    async (resolution) => {
      expect(await resolve(aRequest(), resolution)).toMatchObject({ type: 'PaymentNotFound' });
      const voided = aRequest();
      await cancelPayment(ports, { eventId: uuidv7(), booking: voided, refund: 1 });
      expect(await resolve(voided, resolution)).toMatchObject({ type: 'PaymentNotFound' });
      const paid = aRequest();
      await approvePayment(ports, paid);
      expect(await resolve(paid, resolution)).toMatchObject({ type: 'InvalidRefund' });
      await cancelPayment(ports, { eventId: uuidv7(), booking: paid, refund: 1 });
      expect(await resolve(paid, resolution)).toMatchObject({ type: 'InvalidRefund' });
      expect(await findAuditEntries(paid)).toEqual([]);
    },
  );
});
