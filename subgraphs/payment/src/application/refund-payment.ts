import { type GoodwillRequest, paymentNotFound } from '../domain/goodwill.ts';
import { Payment } from '../domain/payment.ts';
import type { IdempotencyKeyReused, RefundRefusal } from '../domain/refusals.ts';
import { type PaymentPorts, RefundRefused } from '../ports.ts';
import type { GoodwillRefund } from './goodwill-store.ts';

/**
 * An operator gives back a part of a charge beyond the policy. The obligation is stored first; the refund is
 * retried until it succeeds or the provider has refused too often. Returns the payment as it then is, also
 * to a repeated request: the refund may still be under way.
 */
export async function refundPayment(
  ports: PaymentPorts,
  request: GoodwillRequest,
): Promise<Payment | RefundRefusal | IdempotencyKeyReused> {
  const { bookingId, amount, operatorId } = request;
  const recorded = await ports.goodwill.record(request);
  if (!('id' in recorded)) return recorded;
  if (recorded.isNew) {
    ports.log.info('goodwill refund requested', { bookingId, amount, by: operatorId });
    await ports.background.within(attemptGoodwillRefund(ports, recorded.id));
  }
  if ((await ports.goodwill.find(recorded.id))?.state === 'failed') {
    return {
      type: 'InvalidRefund',
      message: 'The provider keeps refusing this refund: it has ended, and gave nothing back.',
    };
  }
  return (await ports.payments.findByBooking(bookingId)) ?? paymentNotFound;
}

/**
 * Attempts a goodwill refund that is leased to this process. A failure is logged, and counted when the provider
 * refused; the refund is due again later, or has failed.
 */
export async function attemptGoodwillRefund(ports: PaymentPorts, id: string): Promise<void> {
  let refund: GoodwillRefund | null = null;
  try {
    refund = await ports.goodwill.find(id);
    if (refund?.state !== 'due') return;
    await ports.provider.refund(refund.bookingId, refund.id, refund.amount);
    await complete(ports, refund);
  } catch (error) {
    await recordFailure(ports, id, refund, error).catch((cause: Error) =>
      // The lease runs out, and the refund is retried.
      ports.log.warn('the failure of a goodwill refund was not recorded', {
        refundId: id,
        reason: cause.message,
      }),
    );
  }
}

/** Records what the provider has refunded. */
async function complete(ports: PaymentPorts, { id, bookingId }: GoodwillRefund): Promise<void> {
  for (;;) {
    // The payment first: what is completed after that makes this version stale.
    const payment = await ports.payments.findByBooking(bookingId);
    const refund = await ports.goodwill.find(id);
    if (!payment || !refund) throw new Error(`goodwill refund ${id} or its payment is gone`);
    if (refund.state === 'completed') return;
    const next = payment.refundGoodwill(refund.amount);
    const saved = next instanceof Payment && (await ports.goodwill.complete(refund, payment, next));
    if (saved === 'stale') continue;
    const { status, refunded } = payment.state;
    if (saved === 'saved') {
      ports.log.info('goodwill refund completed', { bookingId, amount: refund.amount });
      return;
    }
    ports.log.error('refunded by the provider, yet more than is left of the charge', {
      ...{ bookingId, refundId: id, amount: refund.amount, status, refunded },
    });
    return;
  }
}

/** Postpones the refund, or ends it after too many refusals. An outage of any length delays it. */
async function recordFailure(
  ports: PaymentPorts,
  id: string,
  refund: GoodwillRefund | null,
  error: unknown,
): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  if (!(refund && error instanceof RefundRefused)) {
    ports.log.warn('goodwill refund postponed', { refundId: id, reason });
    if (refund) await ports.goodwill.postpone(refund);
    return;
  }
  const { bookingId, amount } = refund;
  const refusals = await ports.goodwill.refuse(refund);
  ports.log.warn('goodwill refund refused by the provider', { bookingId, refusals, reason });
  if (refusals < ports.maxRefundAttempts) return;
  if (await ports.goodwill.fail(refund)) {
    ports.log.error('goodwill refund failed: nothing was given back', {
      ...{ bookingId, refundId: id, amount, refusals, reason },
    });
  }
}
