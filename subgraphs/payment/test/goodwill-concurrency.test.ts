import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { attemptGoodwillRefund } from '../src/application/refund-payment.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, ProviderUnavailable, RefundRefused } from '../src/ports.ts';
import { aGoodwill, findGoodwill, finishRefunds, giveBack, withProvider } from './a-goodwill.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

let context: PaymentContext;
let ports: PaymentPorts;

beforeAll(async () => {
  context = await openPaymentContext();
  ports = context.ports;
});
afterAll(() => context?.close());

async function aPaid(): Promise<PaymentRequest> {
  const request = aRequest();
  await approvePayment(ports, request);
  return request;
}
const cancel = (booking: PaymentRequest, refund: number) =>
  cancelPayment(ports, { eventId: uuidv7(), booking, refund });
const findState = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;
const atOnce = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

describe('concurrent goodwill refunds', () => {
  test('ten concurrent goodwill refunds never exceed the charge', async () => {
    for (let round = 0; round < 5; round += 1) {
      const request = await aPaid();
      const results = await atOnce(10, () => giveBack(ports, request, 25_000));
      const refused = results.filter((result) => 'type' in result);
      expect(refused).toHaveLength(8);
      for (const refusal of refused) {
        expect(refusal).toMatchObject({
          message: 'Of this charge 10000 KRW is left: refund at most that.',
        });
      }
      expect(await findState(request)).toMatchObject({ refunded: 50_000, goodwill: 50_000 });
      expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(50_000);
      expect(await context.publishedTypes(request.bookingId)).toEqual([
        ...['PaymentApproved', 'PaymentRefunded', 'PaymentRefunded'],
      ]);
    }
  });

  test('ten concurrent requests with one key refund once', async () => {
    const request = await aPaid();
    const key = { idempotencyKey: uuidv7() };
    for (const result of await atOnce(10, () => giveBack(ports, request, 20_000, key))) {
      expect(result).not.toHaveProperty('type');
    }
    await finishRefunds(context);
    expect(await findGoodwill(context, request)).toEqual([{ amount: 20_000, state: 'completed' }]);
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(20_000);
  });

  test('ten concurrent requests with one key for ten bookings refund one of them', async () => {
    const requests = await atOnce(10, aPaid);
    const key = { idempotencyKey: uuidv7() };
    const results = await Promise.all(
      requests.map((request) => giveBack(ports, request, 20_000, key)),
    );
    expect(results.filter((result) => 'type' in result)).toEqual(
      Array.from({ length: 9 }, () => expect.objectContaining({ type: 'IdempotencyKeyReused' })),
    );
  });

  test('ten concurrent attempts complete a goodwill refund once', async () => {
    const request = await aPaid();
    const away = withProvider(ports, { refund: () => Promise.reject(new ProviderUnavailable('')) });
    await giveBack(away, request, 20_000);
    const [row] = await context.query<{ id: string }>(
      'SELECT id FROM goodwill_refund WHERE settled_at IS NULL AND failed_at IS NULL',
    );
    await atOnce(10, () => attemptGoodwillRefund(ports, String(row?.id)));
    expect(await findState(request)).toMatchObject({ goodwill: 20_000, version: 3 });
    expect(await context.publishedTypes(request.bookingId)).toEqual([
      ...['PaymentApproved', 'PaymentRefunded'],
    ]);
  });

  test('goodwill refunds and a cancellation at the same time refund the whole charge and no more', async () => {
    for (let round = 0; round < 20; round += 1) {
      const request = await aPaid();
      const steps = [
        () => giveBack(ports, request, 25_000),
        () => cancel(request, 60_000),
        () => giveBack(ports, request, 25_000),
      ];
      if (round % 2) steps.reverse();
      await Promise.all(steps.map((step) => step()));
      await finishRefunds(context);
      expect(await findState(request)).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
      expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(60_000);
      const types = await context.publishedTypes(request.bookingId);
      expect(types.filter((type) => type === 'PaymentCancelled')).toHaveLength(1);
    }
  });

  test('a goodwill refund that waits for a cancellation to commit is refused what that takes', async () => {
    const request = await aPaid();
    const giving = await context.whileLocked(
      `UPDATE payment SET refund_owed = TRUE WHERE booking_id = '${request.bookingId}';
       INSERT INTO refund (payment_id, amount)
       SELECT id, 50000 FROM payment WHERE booking_id = '${request.bookingId}'`,
      async () => {
        const work = giveBack(ports, request, 20_000);
        await context.waitForLock('%FOR UPDATE%');
        return { work };
      },
    );
    expect(await giving.work).toMatchObject({
      message: 'Of this charge 10000 KRW is left: refund at most that.',
    });
  });

  test('a cancellation that waits for a goodwill refund to commit owes what that leaves', async () => {
    const request = await aPaid();
    const cancelling = await context.whileLocked(
      `SELECT FROM payment WHERE booking_id = '${request.bookingId}' FOR UPDATE;
       INSERT INTO goodwill_refund (id, payment_id, idempotency_key, amount, reason, operator_id,
              next_attempt_at)
       SELECT gen_random_uuid(), id, id, 20000, 'r', 'o', now() + interval '1 minute'
         FROM payment WHERE booking_id = '${request.bookingId}'`,
      async () => {
        const work = cancel(request, 60_000);
        await context.waitForLock('%owing AS%');
        return { work };
      },
    );
    await cancelling.work;
    expect(await context.findObligations(request.bookingId)).toEqual([
      { amount: 40_000, completed: false },
    ]);
  });
});

describe('the sandbox provider with several refunds of one charge', () => {
  test('ten concurrent refunds under different keys never exceed the charge', async () => {
    const request = await aPaid();
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => ports.provider.refund(request.bookingId, uuidv7(), 25_000)),
    );
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(8);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(RefundRefused);
    }
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(50_000);
  });

  test('a refund repeated under its key is accepted again and made once', async () => {
    const request = await aPaid();
    const key = uuidv7();
    await atOnce(10, () => ports.provider.refund(request.bookingId, key, 60_000));
    expect((await context.chargedAndRefunded(request.bookingId))?.refunded).toBe(60_000);
  });
});

describe('the leases of goodwill refunds', () => {
  test('a goodwill refund is postponed only by the process that has its newest lease', async () => {
    await finishRefunds(context);
    const recorded = await ports.goodwill.record(aGoodwill(await aPaid(), 1));
    if (!('id' in recorded)) throw new Error('refused');
    const before = await ports.goodwill.find(recorded.id);
    if (!before) throw new Error('nothing was recorded');
    expect(await ports.goodwill.claimDue(10)).toEqual([]);
    await context.makeRefundsDue();
    const claims = await Promise.all([ports.goodwill.claimDue(10), ports.goodwill.claimDue(10)]);
    expect(claims.flat()).toEqual([recorded.id]);
    const dueAt = () =>
      context.query('SELECT next_attempt_at FROM goodwill_refund WHERE id = $1', [recorded.id]);
    const leased = await dueAt();
    await ports.goodwill.postpone(before);
    expect(await ports.goodwill.refuse(before)).toBe(1);
    expect(await dueAt()).toEqual(leased);
    await ports.goodwill.postpone({ ...before, attempt: 2 });
    expect(await dueAt()).not.toEqual(leased);
  });
});
