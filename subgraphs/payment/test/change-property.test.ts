import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { approvePayment } from '../src/application/approve-payment.ts';
import { cancelPayment } from '../src/application/cancel-payment.ts';
import { chargeChange } from '../src/application/charge-change.ts';
import { refundChange, releaseChange } from '../src/application/refund-change.ts';
import { resolveRefund } from '../src/application/resolve-refund.ts';
import {
  retryDueChanges,
  retryDueGoodwillRefunds,
  retryDueRefunds,
} from '../src/application/retry-due-refunds.ts';
import type { PaymentRequest } from '../src/domain/payment.ts';
import type { ChangeCharge } from '../src/domain/payment-change.ts';
import { type PaymentPorts, ProviderUnavailable, RefundRefused } from '../src/ports.ts';
import { aChange, aCharge } from './a-change.ts';
import { finishRefunds, giveBack, withProvider } from './a-goodwill.ts';
import { aRequest, openPaymentContext, type PaymentContext } from './payment-context.ts';

const CHARGE = 60_000;

/** What the provider does with one call. */
const behaviours = ['accepts', 'refuses', 'is away', 'accepts and does not respond'] as const;
type Behaviour = (typeof behaviours)[number];
const steps = [
  ...(['charge', 'charge', 'charge again', 'release', 'reduction'] as const),
  ...(['goodwill', 'cancellation', 'RETRY', 'SETTLED_OUTSIDE', 'run', 'run'] as const),
];
interface Step {
  type: (typeof steps)[number];
  amount: number;
  /** Which of the changes that were requested before. */
  which: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  type: fc.constantFrom(...steps),
  amount: fc.integer({ min: 1, max: 12 }).map((parts) => parts * 5_000),
  which: fc.nat(5),
});
/** The steps of one group run at the same time. */
const groups = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 7,
});
const script = fc.array(fc.constantFrom<Behaviour>(...behaviours, 'accepts', 'accepts'), {
  maxLength: 20,
});

let context: PaymentContext;

beforeAll(async () => {
  context = await openPaymentContext();
});
afterAll(() => context?.close());

/**
 * A provider that does with each call what the list says, and accepts when the list ends. Like a real one it
 * never refuses a refund that it has accepted.
 */
function scriptedProvider(ports: PaymentPorts, list: readonly Behaviour[]): PaymentPorts {
  const left = [...list];
  const accepted = new Set<string>();
  async function act<T>(behaviour: Behaviour, call: () => Promise<T>): Promise<T> {
    if (behaviour === 'is away') throw new ProviderUnavailable('away');
    const result = await call();
    if (behaviour === 'accepts and does not respond') throw new ProviderUnavailable('no response');
    return result;
  }
  const next = () => left.shift() ?? 'accepts';
  return withProvider(ports, {
    charge(request) {
      const behaviour = next();
      const paymentMethod = behaviour === 'refuses' ? 'pm_declined' : request.paymentMethod;
      return act(behaviour, () => ports.provider.charge({ ...request, paymentMethod }));
    },
    void: (key) => act(next(), () => ports.provider.void(key)),
    async refund(account, refundKey, amount) {
      const behaviour = next();
      if (behaviour === 'refuses' && !accepted.has(refundKey)) throw new RefundRefused('not now');
      if (behaviour !== 'is away') accepted.add(refundKey);
      return act(behaviour, () => ports.provider.refund(account, refundKey, amount));
    },
  });
}

/** Does what a step says with a booking; remembers the charges that were requested. */
function actor(ports: PaymentPorts, booking: PaymentRequest, charges: ChangeCharge[]) {
  const { bookingId } = booking;
  const decision = { operatorId: 'op', reason: 'r' };
  return async ({ type, amount, which }: Step): Promise<void> => {
    if (charges.length === 0 || type === 'charge') charges.push(aCharge(booking, amount));
    const last = charges.length - 1;
    const known = charges[type === 'charge' ? last : which % charges.length] as ChangeCharge;
    switch (type) {
      case 'charge':
      case 'charge again':
        await chargeChange(ports, known);
        return;
      case 'release': {
        const { changeId } = known;
        return releaseChange(ports, aChange(booking, known.amount, { changeId }));
      }
      case 'reduction':
        return refundChange(ports, aChange(booking, -amount));
      case 'goodwill':
        await giveBack(ports, booking, amount);
        return;
      case 'cancellation':
        return cancelPayment(ports, { eventId: uuidv7(), booking, refund: amount });
      case 'RETRY':
      case 'SETTLED_OUTSIDE':
        await resolveRefund(ports, bookingId, type, decision);
        return;
      case 'run':
        await Promise.all([
          ...[retryDueGoodwillRefunds(ports), retryDueChanges(ports), retryDueRefunds(ports)],
        ]);
    }
  };
}

describe('any order of changes, goodwill refunds, cancellations and failures of the provider', () => {
  test('any order of them never refunds more than the charges, and ends with the right sums', async () => {
    await fc.assert(
      fc.asyncProperty(groups, script, async (all, list) => {
        const booking = aRequest({ amount: CHARGE });
        const { bookingId } = booking;
        await approvePayment(context.ports, booking);
        const charges: ChangeCharge[] = [];
        const act = actor(scriptedProvider(context.ports, list), booking, charges);
        for (const group of all) {
          // Not during a group: a lease keeps the attempts of a refund one after another.
          await context.makeRefundsDue();
          await Promise.all(group.map(act));
          const sums = await context.chargedAndRefunded(bookingId);
          expect(sums?.refunded).toBeLessThanOrEqual(Number(sums?.charged));
        }
        await finish(booking, charges);
        await expectRightSums(booking);
      }),
      { numRuns: 60 },
    );
  }, 180_000);

  /** Ends what is open by a provider that accepts everything. */
  async function finish(booking: PaymentRequest, charges: readonly ChangeCharge[]): Promise<void> {
    await finishRefunds(context);
    for (const each of charges) await chargeChange(context.ports, each);
    const decision = { operatorId: 'op', reason: 'r' };
    await resolveRefund(context.ports, booking.bookingId, 'RETRY', decision);
  }

  async function expectRightSums({ bookingId }: PaymentRequest): Promise<void> {
    const payment = await context.ports.payments.findByBooking(bookingId);
    if (!payment) throw new Error('the payment is gone');
    const { id, amount, refunded, goodwill, refundedForChanges, status, version } = payment.state;
    const [open] = await context.query<{ changes: number; refunds: number; goodwill: number }>(
      `SELECT (SELECT count(*)::int FROM payment_change WHERE payment_id = $1
                  AND (charge_status = 'PENDING' OR next_attempt_at IS NOT NULL
                       OR (refund_amount IS NOT NULL AND settled_at IS NULL))) AS changes,
              (SELECT count(*)::int FROM refund WHERE payment_id = $1 AND settled_at IS NULL) AS refunds,
              (SELECT count(*)::int FROM goodwill_refund WHERE payment_id = $1
                  AND next_attempt_at IS NOT NULL) AS goodwill`,
      [id],
    );
    expect(open).toEqual({ changes: 0, refunds: 0, goodwill: 0 });

    const [sums] = await context.query<Record<'charged' | 'given' | 'outside' | 'refund', number>>(
      `SELECT coalesce(sum(difference) FILTER (WHERE charge_status = 'APPROVED' AND difference > 0), 0)::int AS charged,
              coalesce(sum(refund_amount), 0)::int AS given,
              (coalesce(sum(refund_amount) FILTER (WHERE settled_outside), 0)
               + (SELECT coalesce(sum(amount), 0) FROM refund WHERE payment_id = $1 AND settled_outside)
              )::int AS outside,
              (SELECT coalesce(sum(amount), 0)::int FROM refund WHERE payment_id = $1) AS refund
         FROM payment_change WHERE payment_id = $1`,
      [id],
    );
    if (!sums) throw new Error('there are no sums');
    expect({ amount, refundedForChanges }).toEqual({
      ...{ amount: CHARGE + sums.charged, refundedForChanges: sums.given },
    });
    expect(refunded).toBe(goodwill + sums.given + sums.refund);
    expect(await context.chargedAndRefunded(bookingId)).toEqual({
      ...{ charged: amount, refunded: refunded - sums.outside },
    });
    const refundStatus = refunded < amount ? 'PARTIALLY_REFUNDED' : 'REFUNDED';
    expect(status).toBe(refunded === 0 ? 'APPROVED' : refundStatus);
    // Each version but the first is published.
    expect(await context.publishedTypes(bookingId)).toHaveLength(version - 1);
  }
});
