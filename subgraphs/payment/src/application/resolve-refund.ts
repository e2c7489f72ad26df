import { Payment } from '../domain/payment.ts';
import type { RefundRefusal } from '../domain/refusals.ts';
import type { PaymentPorts, Refund, RefundDecision } from '../ports.ts';
import { attemptRefund } from './cancel-payment.ts';

export type RefundResolution = 'RETRY' | 'SETTLED_OUTSIDE';

/**
 * An operator decides what becomes of a refund that failed: the provider is asked again now, or the
 * customer got the money another way. The same decision again changes nothing. Returns the payment
 * as it then is, which after a retry may still be REFUND_FAILED.
 */
export async function resolveRefund(
  ports: PaymentPorts,
  bookingId: string,
  resolution: RefundResolution,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  for (;;) {
    const payment = await ports.payments.findByBooking(bookingId);
    // A voided payment never was one.
    if (!payment || payment.state.status === 'VOIDED') {
      return { type: 'PaymentNotFound', message: 'There is no payment of this booking.' };
    }
    const refund = await ports.payments.refundOf(payment.state.id);
    if (!refund?.failed) return invalid('The refund of this booking has not failed.');
    const resolved =
      resolution === 'RETRY'
        ? await retry(ports, payment, refund, decision)
        : await settleOutside(ports, payment, refund, decision);
    if (resolved !== 'stale') return resolved;
  }
}

async function retry(
  ports: PaymentPorts,
  payment: Payment,
  refund: Refund,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  if (refund.settledOutside) return invalid('The customer got the money another way.');
  if (refund.settled) return payment;
  const { bookingId } = payment.state;
  if (await ports.payments.retryFailedRefund(payment, decision)) {
    ports.log.info('refund tried again', { bookingId, by: decision.operatorId });
    await ports.background.within(attemptRefund(ports, bookingId));
  }
  return (await ports.payments.findByBooking(bookingId)) ?? payment;
}

async function settleOutside(
  ports: PaymentPorts,
  payment: Payment,
  refund: Refund,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal | 'stale'> {
  if (refund.settledOutside) return payment;
  if (refund.settled) return invalid('The provider has given the money back meanwhile.');
  if (refund.isDue) {
    return invalid(
      'The provider is being asked again: whether it gives the money back is unknown.',
    );
  }
  const next = payment.refund(refund.amount);
  if (!(next instanceof Payment)) return 'stale';
  if ((await ports.payments.settleOutside(payment, next, decision)) === 'stale') return 'stale';
  const { bookingId, refunded } = next.state;
  ports.log.info('refund settled outside', { bookingId, refunded, by: decision.operatorId });
  return next;
}

const invalid = (message: string): RefundRefusal => ({ type: 'InvalidRefund', message });
