import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { retryDueGoodwillRefunds, retryDueRefunds } from '../src/application/retry-due-refunds.ts';
import { type PaymentPorts, ProviderUnavailable, RefundRefused } from '../src/ports.ts';
import { findGoodwill, finishRefunds, giveBack, withProvider } from './a-goodwill.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

const CHARGE = 60_000;

/** What the provider does with one attempt to refund. */
type Behaviour = 'accepts' | 'refuses' | 'is away' | 'accepts and does not respond';
type Step =
  | { type: 'goodwill'; amount: number }
  | { type: 'cancellation'; quote: number }
  | { type: 'retry' };

const behaviour = fc.constantFrom<Behaviour>(
  ...(['accepts', 'accepts', 'refuses', 'is away', 'accepts and does not respond'] as const),
);
const amount = fc.integer({ min: 1, max: 12 }).map((parts) => parts * 5_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: amount.map((value) => ({ type: 'goodwill' as const, amount: value })) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0, max: 12 })
      .map((parts) => ({ type: 'cancellation' as const, quote: parts * 5_000 })),
  },
  { weight: 3, arbitrary: fc.constant({ type: 'retry' as const }) },
);
/** The steps of one group run at the same time. */
const groups = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 6,
});

let context: PaymentContext;

beforeAll(async () => {
  context = await openPaymentContext();
});
afterAll(() => context?.close());

/**
 * A provider that does with each attempt what the list says, and accepts when the list ends. Like a real one it
 * never refuses what it has accepted.
 */
function scriptedProvider(ports: PaymentPorts, behaviours: readonly Behaviour[]): PaymentPorts {
  const script = [...behaviours];
  const accepted = new Set<string>();
  return withProvider(ports, {
    async refund(chargeKey, refundKey, value) {
      const next = script.shift() ?? 'accepts';
      if (next === 'refuses' && !accepted.has(refundKey)) throw new RefundRefused('not now');
      if (next === 'is away') throw new ProviderUnavailable('away');
      accepted.add(refundKey);
      await ports.provider.refund(chargeKey, refundKey, value);
      if (next === 'accepts and does not respond') throw new ProviderUnavailable('no response');
    },
  });
}

describe('any order of goodwill refunds, cancellations and failures of the provider', () => {
  test('any order of them never refunds more than the charge, and ends with the right sum', async () => {
    await fc.assert(
      fc.asyncProperty(groups, fc.array(behaviour, { maxLength: 12 }), async (all, behaviours) => {
        const request = aRequest({ amount: CHARGE });
        const { bookingId } = request;
        await approvePayment(context.ports, request);
        const ports = scriptedProvider(context.ports, behaviours);
        const run = async (each: Step) => {
          if (each.type === 'goodwill') return void (await giveBack(ports, request, each.amount));
          if (each.type === 'cancellation') {
            const ended = { eventId: uuidv7(), booking: request, refund: each.quote };
            return cancelPayment(ports, ended);
          }
          await Promise.all([retryDueGoodwillRefunds(ports), retryDueRefunds(ports)]);
        };
        for (const group of all) {
          // Not during a group: a lease keeps the attempts of a refund one after another.
          await context.makeRefundsDue();
          await Promise.all(group.map(run));
          const sums = await context.chargedAndRefunded(bookingId);
          expect(sums?.refunded).toBeLessThanOrEqual(CHARGE);
        }
        await finishRefunds(context);
        await expectRightSum(bookingId, all.flat());
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  async function expectRightSum(bookingId: string, steps: readonly Step[]): Promise<void> {
    const payment = await context.ports.payments.findByBooking(bookingId);
    if (!payment) throw new Error('the payment is gone');
    const { refunded, goodwill, status } = payment.state;
    const given = await findGoodwill(context, { ...aRequest(), bookingId });
    expect(given.every(({ state }) => state !== 'due')).toBe(true);
    const completed = given.filter(({ state }) => state === 'completed');
    expect(goodwill).toBe(completed.reduce((sum, each) => sum + each.amount, 0));

    const [obligation] = await context.findObligations(bookingId);
    const sums = await context.chargedAndRefunded(bookingId);
    expect(sums?.refunded).toBe(refunded);
    const quotes = steps.flatMap((each) => (each.type === 'cancellation' ? [each.quote] : []));
    if (quotes.length === 0) {
      expect(obligation).toBeUndefined();
      expect(refunded).toBe(goodwill);
      return;
    }
    // Which of several cancellations came first is open: the first one counts.
    const due = quotes.map((quote) => Math.min(quote, CHARGE - goodwill));
    expect(due).toContain(obligation?.amount);
    if (status === 'REFUND_FAILED') {
      expect(obligation?.completed).toBe(false);
      expect(refunded).toBe(goodwill);
      return;
    }
    expect(obligation?.completed).toBe(true);
    expect(refunded).toBe(goodwill + Number(obligation?.amount));
    const types = await context.publishedTypes(bookingId);
    expect(types.filter((type) => type === 'PaymentRefunded')).toHaveLength(completed.length);
    expect(types.filter((type) => type === 'PaymentCancelled')).toHaveLength(1);
  }
});
