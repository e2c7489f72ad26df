import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { refundMetrics } from '../src/adapters/refund-metrics.ts';
import { type RefundResolution, resolveRefund } from '../src/application/resolve-refund.ts';
import { retryDueChanges, retryDueRefunds } from '../src/application/retry-due-refunds.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { PaymentPorts } from '../src/ports.ts';
import { aChange, aCharge, changedBookings } from './a-change.ts';
import { finishRefunds, giveBack, paidBookings } from './a-goodwill.ts';
import { openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

const { aPaid, cancel, findPayment, findAuditEntries, away } = paidBookings(() => context);
const { aCharged, charge, release, giveBackFor, findChange } = changedBookings(() => context);
const sums = ({ bookingId }: { bookingId: string }) => context.chargedAndRefunded(bookingId);
const findState = async (booking: PaymentRequest) => (await findPayment(booking)).state;
const publishedTypes = ({ bookingId }: PaymentRequest) => context.publishedTypes(bookingId);

const resolve = (
  { bookingId }: PaymentRequest,
  resolution: RefundResolution,
  by: PaymentPorts = ports,
) => resolveRefund(by, bookingId, resolution, { operatorId: 'op', reason: 'they called' });
const acceptRefunds = ({ bookingId }: PaymentRequest) =>
  context.query("UPDATE sandbox_charge SET refunds = 'accept' WHERE key = $1", [bookingId]);
const audited = (resolution: RefundResolution) => ({
  ...{ user_id: 'op', acted_as: 'operator', action: 'resolveRefund', subject_type: 'booking' },
  details: { resolution, reason: 'they called' },
});

/** A booking of 60000 whose change gives back 20000, which the provider kept refusing. */
async function aFailedChange() {
  const booking = await aPaid({ paymentMethod: 'pm_refund_fails' });
  const change = aChange(booking, -20_000);
  await giveBackFor(change);
  await finishRefunds(context);
  return { booking, change };
}

describe('a refund of a change that the provider keeps refusing', () => {
  test('a refused refund fails, is published, stays owed, and is not retried', async () => {
    const { booking, change } = await aFailedChange();
    expect(await findState(booking)).toMatchObject({
      ...{ status: 'REFUND_FAILED', refunded: 0, refundedForChanges: 0, version: 3 },
    });
    expect(await publishedTypes(booking)).toEqual(['PaymentApproved', 'PaymentRefundFailed']);
    expect(await findChange(change)).toMatchObject({
      ...{ hasFailed: true, isDue: false, completed: false, refundAmount: 20_000 },
    });
    await context.makeRefundsDue();
    expect(await retryDueChanges(ports)).toBe(0);
    expect(await giveBack(ports, booking, 40_001)).toMatchObject({
      message: 'Of this charge 40000 KRW is left: refund at most that.',
    });
    expect(context.logged).toContain(
      'error: refund of a change failed: an operator must resolve it',
    );
  });

  test('a released charge whose refund is refused fails in the same way', async () => {
    const booking = await aPaid({ paymentMethod: 'pm_refund_fails' });
    const request = await aCharged(booking, 15_000);
    await release(request);
    await finishRefunds(context);
    expect(await findState(booking)).toMatchObject({ status: 'REFUND_FAILED', amount: 75_000 });
    expect(await findChange(request)).toMatchObject({ hasFailed: true, refundAmount: 15_000 });
  });

  test('a cancellation owes what a failed refund of a change leaves, and does not hide that it failed', async () => {
    const { booking } = await aFailedChange();
    await acceptRefunds(booking);
    await cancel(booking, 60_000);
    expect(await context.findObligations(booking.bookingId)).toEqual([
      { amount: 40_000, completed: true },
    ]);
    expect(await findState(booking)).toMatchObject({ status: 'REFUND_FAILED', refunded: 40_000 });
    expect((await publishedTypes(booking)).at(-1)).toBe('PaymentCancelled');
    await giveBackFor(aChange(booking, -1));
    expect(await findState(booking)).toMatchObject({ status: 'REFUND_FAILED', refunded: 40_000 });
    await resolve(booking, 'RETRY');
    expect(await findState(booking)).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
  });

  test('a refund of a change leaves a payment REFUND_FAILED whose cancellation has failed', async () => {
    const booking = await aPaid({ paymentMethod: 'pm_refund_fails' });
    await cancel(booking, 30_000);
    await finishRefunds(context);
    await acceptRefunds(booking);
    await giveBackFor(aChange(booking, -20_000));
    expect(await findState(booking)).toMatchObject({
      ...{ status: 'REFUND_FAILED', refunded: 20_000, refundedForChanges: 20_000 },
    });
    await resolve(booking, 'RETRY');
    expect(await findState(booking)).toMatchObject({
      ...{ status: 'PARTIALLY_REFUNDED', refunded: 50_000, refundedForChanges: 20_000 },
    });
  });

  test('other refunds and charges leave a payment REFUND_FAILED', async () => {
    const { booking } = await aFailedChange();
    await acceptRefunds(booking);
    await giveBack(ports, booking, 5_000);
    await giveBackFor(aChange(booking, -5_000));
    await charge(aCharge(booking, 1_000));
    expect(await findState(booking)).toMatchObject({
      ...{ status: 'REFUND_FAILED', amount: 61_000, refunded: 10_000, refundedForChanges: 5_000 },
    });
  });

  test('a failed refund of a change is counted, with its age', async () => {
    await context.query('UPDATE payment_change SET settled_at = now(), next_attempt_at = NULL');
    await aFailedChange();
    await giveBackFor(aChange(await aPaid(), -1), away());
    // A charge that stands is no refund.
    await aCharged(await aPaid(), 1_000);
    await context.query(
      "UPDATE payment_change SET requested_at = now() - interval '1 hour' WHERE failed_at IS NOT NULL",
    );
    const metrics = new Registry();
    refundMetrics(context.pool, metrics);
    const text = await metrics.metrics();
    expect(text).toMatch(/spacerent_refunds_due\{state="failed"\} 1$/m);
    expect(text).toMatch(/spacerent_refunds_due\{state="owed"\} 1$/m);
    const age = /^spacerent_refund_oldest_due_seconds (\S+)/m.exec(text)?.[1];
    expect(Number(age)).toBeGreaterThanOrEqual(3_600);
    await finishRefunds(context);
  });
});

describe('an operator’s RETRY of refunds of changes', () => {
  test('a RETRY that the provider accepts completes the refund once', async () => {
    const { booking, change } = await aFailedChange();
    await acceptRefunds(booking);
    await Promise.all(Array.from({ length: 5 }, () => resolve(booking, 'RETRY')));
    expect(await findState(booking)).toMatchObject({
      ...{ status: 'PARTIALLY_REFUNDED', refundedForChanges: 20_000, version: 4 },
    });
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect(await publishedTypes(booking)).toEqual([
      ...['PaymentApproved', 'PaymentRefundFailed', 'PaymentAdjusted'],
    ]);
    expect(await findAuditEntries(booking)).toEqual([audited('RETRY')]);
    expect(await findChange(change)).toMatchObject({ completed: true, completedOutside: false });
    expect(await resolve(booking, 'SETTLED_OUTSIDE')).toMatchObject({ type: 'InvalidRefund' });
  });

  test('a RETRY that the provider refuses leaves the refund failed, and publishes nothing more', async () => {
    const { booking } = await aFailedChange();
    expect(await resolve(booking, 'RETRY')).toMatchObject({ state: { status: 'REFUND_FAILED' } });
    expect(await findState(booking)).toMatchObject({ version: 3 });
    expect(await findAuditEntries(booking)).toHaveLength(1);
    expect(await retryDueChanges(ports)).toBe(0);
  });

  test('a RETRY without a response is retried by the next run', async () => {
    const { booking } = await aFailedChange();
    await acceptRefunds(booking);
    await resolve(booking, 'RETRY', away());
    expect(await resolve(booking, 'SETTLED_OUTSIDE')).toMatchObject({
      message: 'The provider has been sent the refund again: its outcome is unknown.',
    });
    await finishRefunds(context);
    expect(await findState(booking)).toMatchObject({ status: 'PARTIALLY_REFUNDED', version: 4 });
  });

  test('a RETRY sends the failed refunds of the cancellation and of all changes', async () => {
    const { booking } = await aFailedChange();
    await giveBackFor(aChange(booking, -10_000));
    await cancel(booking, 60_000);
    await finishRefunds(context);
    expect(await publishedTypes(booking)).toEqual([
      'PaymentApproved',
      ...Array.from({ length: 3 }, () => 'PaymentRefundFailed'),
    ]);
    await context.makeRefundsDue();
    expect((await retryDueChanges(ports)) + (await retryDueRefunds(ports))).toBe(0);
    await acceptRefunds(booking);
    expect(await resolve(booking, 'RETRY')).toMatchObject({ state: { status: 'REFUNDED' } });
    expect(await findState(booking)).toMatchObject({
      ...{ refunded: 60_000, refundedForChanges: 30_000 },
    });
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 60_000 });
    expect(await findAuditEntries(booking)).toEqual([audited('RETRY'), audited('RETRY')]);
  });
});

describe('an operator’s SETTLED_OUTSIDE of refunds of changes', () => {
  test('SETTLED_OUTSIDE completes all failed refunds of changes in one version, once', async () => {
    const { booking, change } = await aFailedChange();
    await giveBackFor(aChange(booking, -10_000));
    await finishRefunds(context);
    const results = await Promise.all(
      Array.from({ length: 3 }, () => resolve(booking, 'SETTLED_OUTSIDE')),
    );
    for (const result of results) {
      expect(result).toMatchObject({
        state: { status: 'PARTIALLY_REFUNDED', refundedForChanges: 30_000, version: 5 },
      });
    }
    expect(await findChange(change)).toMatchObject({ completed: true, completedOutside: true });
    expect((await publishedTypes(booking)).slice(-2)).toEqual([
      ...['PaymentRefundFailed', 'PaymentAdjusted'],
    ]);
    expect(await findAuditEntries(booking)).toEqual([audited('SETTLED_OUTSIDE')]);
    expect(await sums(booking)).toEqual({ charged: 60_000, refunded: 0 });
    expect(await resolve(booking, 'RETRY')).toMatchObject({ type: 'InvalidRefund' });
  });

  test('SETTLED_OUTSIDE completes the cancellation’s failed refund and those of changes', async () => {
    const { booking } = await aFailedChange();
    await cancel(booking, 30_000);
    await finishRefunds(context);
    expect(await resolve(booking, 'SETTLED_OUTSIDE')).toMatchObject({
      state: { status: 'PARTIALLY_REFUNDED', refunded: 50_000, refundedForChanges: 20_000 },
    });
    expect((await publishedTypes(booking)).slice(-2)).toEqual([
      ...['PaymentCancelled', 'PaymentAdjusted'],
    ]);
    expect(await context.findObligations(booking.bookingId)).toEqual([
      { amount: 30_000, completed: true },
    ]);
  });

  test('a failed refund of a cancellation that is resolved alone leaves a change REFUND_FAILED', async () => {
    const { booking } = await aFailedChange();
    await cancel(booking, 30_000);
    await finishRefunds(context);
    const payment = await findPayment(booking);
    expect(await ports.payments.retryFailedRefund(payment, { operatorId: 'op', reason: 'r' })).toBe(
      true,
    );
    await acceptRefunds(booking);
    await finishRefunds(context);
    expect(await findState(booking)).toMatchObject({ status: 'REFUND_FAILED', refunded: 30_000 });
    await resolve(booking, 'RETRY');
    expect(await findState(booking)).toMatchObject({
      ...{ status: 'PARTIALLY_REFUNDED', refunded: 50_000 },
    });
  });

  test('SETTLED_OUTSIDE, a RETRY and a run at the same time refund in one way alone', async () => {
    for (let round = 0; round < 15; round += 1) {
      const { booking, change } = await aFailedChange();
      await acceptRefunds(booking);
      const actions = [
        () => resolve(booking, 'RETRY'),
        () => resolve(booking, 'SETTLED_OUTSIDE'),
        () => retryDueChanges(ports),
      ];
      if (round % 2) actions.reverse();
      await Promise.all(actions.map((act) => act()));
      expect(await findState(booking)).toMatchObject({
        ...{ status: 'PARTIALLY_REFUNDED', refunded: 20_000, version: 4 },
      });
      const { completedOutside } = await findChange(change);
      expect((await sums(booking))?.refunded).toBe(completedOutside ? 0 : 20_000);
      expect(await findAuditEntries(booking)).toHaveLength(1);
    }
  });
});
