import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { v7 as uuidv7 } from 'uuid';
import { refundMetrics } from '../src/adapters/refund-metrics.ts';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { type RefundResolution, resolveRefund } from '../src/application/resolve-refund.ts';
import { sweepRefunds } from '../src/application/sweep-refunds.ts';
import { Payment, type PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, type PaymentProvider, ProviderUnavailable } from '../src/ports.ts';
import { aRequest, MAX_REFUND_ATTEMPTS, openPayments, type RealPayments } from './real-payments.ts';

let real: RealPayments;
let ports: PaymentPorts;

beforeAll(async () => {
  real = await openPayments();
  ports = real.ports;
});
afterAll(() => real?.close());

const stateOf = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;
const withProvider = (changes: Partial<PaymentProvider>): PaymentPorts => ({
  ...ports,
  provider: { ...ports.provider, ...changes },
});
const NEWS = ['PaymentApproved', 'PaymentRefundFailed'];

/** A payment whose refund the provider has refused until it failed. */
async function failed(refund = 20_000): Promise<PaymentRequest> {
  const request = aRequest({ paymentMethod: 'pm_refund_fails' });
  await approvePayment(ports, request);
  await cancelPayment(ports, { eventId: uuidv7(), request, refund });
  for (let attempt = 1; attempt < MAX_REFUND_ATTEMPTS; attempt += 1) {
    expect(await stateOf(request)).toMatchObject({ status: 'APPROVED', version: 2 });
    await real.letTimePass();
    await sweepRefunds(ports);
  }
  return request;
}

const resolve = (
  { bookingId }: PaymentRequest,
  resolution: RefundResolution,
  by: PaymentPorts = ports,
  operatorId = 'op',
) => resolveRefund(by, bookingId, resolution, { operatorId, reason: 'the customer called' });

const auditOf = ({ bookingId }: PaymentRequest) =>
  real.query<{ user_id: string; details: object }>(
    `SELECT user_id, acted_as, action, subject_type, details FROM audit_entry WHERE subject_id = $1`,
    [bookingId],
  );

/** The provider changes its mind about the booking's refund. */
const accept = ({ bookingId }: PaymentRequest) =>
  real.query("UPDATE sandbox_charge SET refunds = 'accept' WHERE key = $1", [bookingId]);

describe('a refund that the provider keeps refusing', () => {
  test('fails after as many refusals as are set, is published, and is not tried again', async () => {
    const request = await failed();
    expect(await stateOf(request)).toMatchObject({
      status: 'REFUND_FAILED',
      refunded: 0,
      version: 3,
    });
    expect(await real.news(request.bookingId)).toEqual(NEWS);
    expect(await real.owed(request.bookingId)).toEqual([{ amount: 20_000, settled: false }]);
    await real.letTimePass();
    expect(await sweepRefunds(ports)).toBe(0);
    expect(real.logged.filter((line) => line.startsWith('error: refund failed'))).not.toEqual([]);
    expect(real.logged).toContain('warn: refund refused by the provider');
  });

  test('is counted by its state, with the age of the oldest', async () => {
    await real.query('UPDATE refund SET settled_at = now() WHERE settled_at IS NULL');
    await failed();
    await real.query(
      "UPDATE refund SET owed_at = now() - interval '1 hour' WHERE settled_at IS NULL",
    );
    const metrics = new Registry();
    refundMetrics(real.pool, metrics);
    const text = await metrics.metrics();
    expect(text).toMatch(/spacerent_refunds_unsettled\{state="failed"\} 1$/m);
    expect(text).toMatch(/spacerent_refunds_unsettled\{state="owed"\} 0$/m);
    const age = /^spacerent_refund_oldest_unsettled_seconds (\S+)/m.exec(text)?.[1];
    expect(Number(age)).toBeGreaterThanOrEqual(3_600);
  });
});

describe('an operator’s RETRY', () => {
  test('that the provider accepts settles the refund once, under the key it always had', async () => {
    const request = await failed();
    await accept(request);
    const keys = new Set<string>();
    const counting = withProvider({
      refund(chargeKey, refundKey, amount) {
        keys.add(refundKey);
        return ports.provider.refund(chargeKey, refundKey, amount);
      },
    });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => resolve(request, 'RETRY', counting)),
    );
    for (const answer of answers) expect(answer).toBeInstanceOf(Payment);
    expect(keys.size).toBe(1);
    expect([...keys]).not.toEqual([request.bookingId]);
    expect(await stateOf(request)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 20_000,
      version: 4,
    });
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect(await real.news(request.bookingId)).toEqual([...NEWS, 'PaymentCancelled']);
    expect(await auditOf(request)).toEqual([
      {
        user_id: 'op',
        acted_as: 'operator',
        action: 'resolveRefund',
        subject_type: 'booking',
        details: { resolution: 'RETRY', reason: 'the customer called' },
      },
    ]);
  });

  test('that the provider refuses leaves the refund failed, and publishes nothing more', async () => {
    const request = await failed();
    expect(await resolve(request, 'RETRY')).toMatchObject({ state: { status: 'REFUND_FAILED' } });
    expect(await resolve(request, 'RETRY')).toMatchObject({ state: { status: 'REFUND_FAILED' } });
    expect(await stateOf(request)).toMatchObject({ status: 'REFUND_FAILED', version: 3 });
    expect(await real.news(request.bookingId)).toEqual(NEWS);
    expect(await auditOf(request)).toHaveLength(2);
    expect(await sweepRefunds(ports)).toBe(0);
  });

  test('that is not answered is gone on with by the sweeper', async () => {
    const request = await failed();
    await accept(request);
    const silent = withProvider({ refund: () => Promise.reject(new ProviderUnavailable('gone')) });
    expect(await resolve(request, 'RETRY', silent)).toMatchObject({
      state: { status: 'REFUND_FAILED' },
    });
    expect(await resolve(request, 'SETTLED_OUTSIDE')).toMatchObject({ type: 'InvalidRefund' });
    await real.letTimePass();
    await sweepRefunds(ports);
    expect(await stateOf(request)).toMatchObject({ status: 'PARTIALLY_REFUNDED', version: 4 });
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 20_000 });
  });
});

describe('an operator’s SETTLED_OUTSIDE', () => {
  test('ends the payment as quoted without the provider, once, whoever says so again', async () => {
    const request = await failed(60_000);
    const answers = await Promise.all(
      ['op-1', 'op-2', 'op-3'].map((by) => resolve(request, 'SETTLED_OUTSIDE', ports, by)),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ state: { status: 'REFUNDED', refunded: 60_000, version: 4 } });
    }
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual([...NEWS, 'PaymentCancelled']);
    expect(await real.owed(request.bookingId)).toEqual([{ amount: 60_000, settled: true }]);
    expect(await auditOf(request)).toHaveLength(1);
    expect(await resolve(request, 'RETRY')).toMatchObject({ type: 'InvalidRefund' });
    await real.letTimePass();
    expect(await sweepRefunds(ports)).toBe(0);
  });

  test('against a RETRY and the sweeper at the same time gives the money back one way alone', async () => {
    for (let round = 0; round < 15; round += 1) {
      const request = await failed();
      await accept(request);
      const acts = [
        () => resolve(request, 'RETRY', ports, 'op-1'),
        () => resolve(request, 'SETTLED_OUTSIDE', ports, 'op-2'),
        () => sweepRefunds(ports),
      ];
      if (round % 2) acts.reverse();
      await Promise.all(acts.map((act) => act()));
      expect(await stateOf(request)).toMatchObject({
        status: 'PARTIALLY_REFUNDED',
        refunded: 20_000,
      });
      const [refund] = await real.query<{ settled_outside: boolean }>(
        'SELECT settled_outside FROM refund r JOIN payment p ON p.id = payment_id WHERE booking_id = $1',
        [request.bookingId],
      );
      const money = await real.money(request.bookingId);
      expect(money?.refunded).toBe(refund?.settled_outside ? 0 : 20_000);
      expect(await real.news(request.bookingId)).toEqual([...NEWS, 'PaymentCancelled']);
      expect(await auditOf(request)).toHaveLength(1);
    }
  });
});

describe('resolving a refund', () => {
  test.each(['RETRY', 'SETTLED_OUTSIDE'] as const)(
    'by %s is refused where none has failed',
    async (resolution) => {
      expect(await resolve(aRequest(), resolution)).toMatchObject({ type: 'PaymentNotFound' });
      const voided = aRequest();
      await cancelPayment(ports, { eventId: uuidv7(), request: voided, refund: 1 });
      expect(await resolve(voided, resolution)).toMatchObject({ type: 'PaymentNotFound' });
      const paid = aRequest();
      await approvePayment(ports, paid);
      expect(await resolve(paid, resolution)).toMatchObject({ type: 'InvalidRefund' });
      await cancelPayment(ports, { eventId: uuidv7(), request: paid, refund: 1 });
      expect(await resolve(paid, resolution)).toMatchObject({ type: 'InvalidRefund' });
      expect(await auditOf(paid)).toEqual([]);
    },
  );
});
