import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment, paymentOutcome } from '../src/application/approve-payment.ts';
import { cancelPayment, settleRefund } from '../src/application/cancel-payment.ts';
import { sweepRefunds } from '../src/application/sweep-refunds.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import { type PaymentPorts, type PaymentProvider, ProviderUnavailable } from '../src/ports.ts';
import { aRequest, MAX_REFUND_ATTEMPTS, openPayments, type RealPayments } from './real-payments.ts';

let real: RealPayments;
let ports: PaymentPorts;

beforeAll(async () => {
  real = await openPayments();
  ports = real.ports;
});
afterAll(() => real?.close());

const approve = (request: PaymentRequest, by = ports) => approvePayment(by, request);
const giveUp = (request: PaymentRequest, refund = request.amount, eventId = uuidv7(), by = ports) =>
  cancelPayment(by, { eventId, request, refund });
const stateOf = async ({ bookingId }: PaymentRequest) =>
  (await ports.payments.findByBooking(bookingId))?.state;

/** The real provider, with something that happens around one of its calls. */
const withProvider = (changes: Partial<PaymentProvider>): PaymentPorts => ({
  ...ports,
  provider: { ...ports.provider, ...changes },
});

describe('approving a payment', () => {
  test('twice charges once and answers the same', async () => {
    const request = aRequest();
    const first = await approve(request);
    const second = await approve(request);
    expect(first.state).toMatchObject({ status: 'APPROVED', version: 2 });
    expect(second).toEqual(first);
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved']);
  });

  test('twenty times at once charges once', async () => {
    const request = aRequest();
    const answers = await Promise.all(Array.from({ length: 20 }, () => approve(request)));
    for (const { state } of answers) expect(state.status).toBe('APPROVED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved']);
  });

  test.each(['pm_declined', 'pm_unheard_of'])(
    'by %s is declined, also when asked again',
    async (paymentMethod) => {
      const request = aRequest({ paymentMethod });
      expect((await approve(request)).state).toMatchObject({ status: 'DECLINED', version: 2 });
      expect((await approve({ ...request, paymentMethod: 'pm_ok' })).state.status).toBe('DECLINED');
      expect(await real.money(request.bookingId)).toEqual({ charged: 0, refunded: 0 });
      expect(await real.news(request.bookingId)).toEqual(['PaymentDeclined']);
    },
  );

  test('whose reply is lost is unknown, and known once the provider is asked again', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_paid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    expect(await stateOf(request)).toMatchObject({ status: 'PENDING' });
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });

    expect((await approve(request)).state.status).toBe('APPROVED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved']);
  });

  test('whose reply is lost is known by its outcome, which takes nothing', async () => {
    const paid = aRequest({ paymentMethod: 'pm_timeout_paid' });
    const unpaid = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approve(paid)).state.status).toBe('PENDING');
    expect((await approve(unpaid)).state.status).toBe('PENDING');
    expect((await paymentOutcome(ports, paid.bookingId))?.state.status).toBe('APPROVED');
    expect((await paymentOutcome(ports, unpaid.bookingId))?.state.status).toBe('PENDING');
    expect(await paymentOutcome(ports, uuidv7())).toBeNull();
    expect(await real.money(unpaid.bookingId)).toEqual({ charged: 0, refunded: 0 });
  });

  test('whose request is lost takes nothing until it is asked again', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    expect(await real.money(request.bookingId)).toEqual({ charged: 0, refunded: 0 });
    expect((await approve(request)).state.status).toBe('APPROVED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
  });

  test('by a busy provider is unknown twice and approved then', async () => {
    const request = aRequest({ paymentMethod: 'pm_busy' });
    expect((await approve(request)).state.status).toBe('PENDING');
    expect((await approve(request)).state.status).toBe('PENDING');
    expect((await approve(request)).state.status).toBe('APPROVED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 0 });
  });
});

describe('giving a booking up', () => {
  test('before it was charged voids it, and nothing is taken any more', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_unpaid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    await giveUp(request);
    expect((await approve(request)).state.status).toBe('VOIDED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 0, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentCancelled']);
    expect(await real.owed(request.bookingId)).toEqual([{ amount: 60_000, settled: true }]);
  });

  test('before payment has heard of it leaves a tombstone that refuses a later approval', async () => {
    const request = aRequest();
    await giveUp(request);
    expect((await approve(request)).state.status).toBe('VOIDED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 0, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test('while the charge is on its way to the provider keeps it from being taken', async () => {
    const request = aRequest();
    const overtaken = withProvider({
      async charge(charge) {
        await giveUp(request);
        return ports.provider.charge(charge);
      },
    });
    expect((await approve(request, overtaken)).state.status).toBe('VOIDED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 0, refunded: 0 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test('while the provider’s reply is on its way refunds the charge once and does not publish it', async () => {
    const request = aRequest();
    const overtaken = withProvider({
      async charge(charge) {
        const reply = await ports.provider.charge(charge);
        await giveUp(request);
        return reply;
      },
    });
    expect((await approve(request, overtaken)).state.status).toBe('REFUNDED');
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 60_000 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test('whose charge was taken but never told refunds it and does not publish it', async () => {
    const request = aRequest({ paymentMethod: 'pm_timeout_paid' });
    expect((await approve(request)).state.status).toBe('PENDING');
    await giveUp(request);
    expect(await stateOf(request)).toMatchObject({ status: 'REFUNDED', refunded: 60_000 });
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 60_000 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentCancelled']);
  });

  test.each([
    [60_000, 'REFUNDED', 60_000],
    [20_000, 'PARTIALLY_REFUNDED', 20_000],
    [0, 'APPROVED', 0],
    [99_999, 'REFUNDED', 60_000],
  ] as const)(
    'after it was charged, at a quote of %d, is %s with %d given back',
    async (quote, status, refunded) => {
      const request = aRequest();
      await approve(request);
      await giveUp(request, quote);
      expect(await stateOf(request)).toMatchObject({ status, refunded, version: 3 });
      expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded });
      expect(await real.news(request.bookingId)).toEqual(['PaymentApproved', 'PaymentCancelled']);
      expect(await real.owed(request.bookingId)).toEqual([{ amount: refunded, settled: true }]);
    },
  );

  test('that was declined says that nothing is owed', async () => {
    const request = aRequest({ paymentMethod: 'pm_declined' });
    await approve(request);
    await giveUp(request);
    expect(await stateOf(request)).toMatchObject({ status: 'DECLINED', refunded: 0, version: 3 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentDeclined', 'PaymentCancelled']);
  });

  test.each([
    ['paid', async (request: PaymentRequest) => void (await approve(request))],
    ['unheard of', async () => {}],
  ])(
    'that is %s again, by the same event and by another, gives back once',
    async (_what, before) => {
      const request = aRequest();
      await before(request);
      const eventId = uuidv7();
      await giveUp(request, 60_000, eventId);
      const ended = await stateOf(request);
      await giveUp(request, 60_000, eventId);
      await giveUp(request, 60_000, uuidv7());
      expect(await stateOf(request)).toEqual(ended);
      const money = await real.money(request.bookingId);
      expect(money?.charged).toBe(money?.refunded);
      const news = await real.news(request.bookingId);
      expect(news.filter((type) => type === 'PaymentCancelled')).toHaveLength(1);
      const owed = await real.owed(request.bookingId);
      expect(owed.every(({ settled }) => settled)).toBe(true);
    },
  );

  test('ten times at once gives back once', async () => {
    const request = aRequest();
    await approve(request);
    await Promise.all(Array.from({ length: 10 }, () => giveUp(request, 20_000)));
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved', 'PaymentCancelled']);
  });

  test('against an approval at the same time, fifty times, never keeps money and says so once', async () => {
    const methods = ['pm_ok', 'pm_ok', 'pm_timeout_paid', 'pm_timeout_unpaid', 'pm_declined'];
    const requests = Array.from({ length: 50 }, (_, index) =>
      aRequest({ paymentMethod: methods[index % methods.length] as string }),
    );
    for (const [index, request] of requests.entries()) {
      const approval = () => approve(request).catch(() => undefined);
      const order =
        index % 2 ? [approval, () => giveUp(request)] : [() => giveUp(request), approval];
      await Promise.all(order.map((step) => step()));
    }
    for (const request of requests) {
      await approve(request);
      const money = await real.money(request.bookingId);
      expect((money?.charged ?? 0) - (money?.refunded ?? 0)).toBe(0);
      const news = await real.news(request.bookingId);
      expect(news.filter((type) => type === 'PaymentCancelled')).toHaveLength(1);
      expect(news.at(-1)).toBe('PaymentCancelled');
    }
  });
});

describe('a refund whose provider does not answer', () => {
  /** Everything that other tests left due is settled first, so that a sweep is about one booking. */
  const sweepClean = async () => {
    await real.letTimePass();
    await sweepRefunds(ports);
  };

  test.each([
    ['before the provider has acted', false],
    ['after the provider has acted', true],
  ])('%s stays owed and is given back once by the sweeper', async (_when, acted) => {
    await sweepClean();
    const request = aRequest();
    await approve(request);
    const failing = withProvider({
      async refund(chargeKey, refundKey, amount) {
        if (acted) await ports.provider.refund(chargeKey, refundKey, amount);
        throw new ProviderUnavailable('no reply');
      },
    });
    await giveUp(request, 20_000, uuidv7(), failing);
    expect(await stateOf(request)).toMatchObject({ status: 'APPROVED', version: 2 });
    expect(await real.owed(request.bookingId)).toEqual([{ amount: 20_000, settled: false }]);

    await real.letTimePass();
    expect(await sweepRefunds(failing)).toBe(1);
    expect(await real.owed(request.bookingId)).toEqual([{ amount: 20_000, settled: false }]);

    await real.letTimePass();
    expect(await sweepRefunds(ports)).toBe(1);
    expect(await stateOf(request)).toMatchObject({
      status: 'PARTIALLY_REFUNDED',
      refunded: 20_000,
    });
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved', 'PaymentCancelled']);
    await real.letTimePass();
    expect(await sweepRefunds(ports)).toBe(0);
  });

  test('is never left to operators, however long that goes on', async () => {
    await sweepClean();
    const request = aRequest();
    await approve(request);
    const failing = withProvider({ refund: () => Promise.reject(new ProviderUnavailable('gone')) });
    await giveUp(request, 20_000, uuidv7(), failing);
    for (let attempt = 0; attempt < 3 * MAX_REFUND_ATTEMPTS; attempt += 1) {
      await real.letTimePass();
      expect(await sweepRefunds(failing)).toBe(1);
    }
    expect(await stateOf(request)).toMatchObject({ status: 'APPROVED', version: 2 });
    await sweepClean();
    expect(await stateOf(request)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });
  });

  test('is settled by several at once only once', async () => {
    const request = aRequest();
    await approve(request);
    const failing = withProvider({ refund: () => Promise.reject(new ProviderUnavailable('busy')) });
    await giveUp(request, 20_000, uuidv7(), failing);
    await Promise.all(Array.from({ length: 10 }, () => settleRefund(ports, request.bookingId)));
    expect(await real.money(request.bookingId)).toEqual({ charged: 60_000, refunded: 20_000 });
    expect(await real.news(request.bookingId)).toEqual(['PaymentApproved', 'PaymentCancelled']);
  });
});
