import { paymentNotFound } from '../domain/goodwill.ts';
import { Payment } from '../domain/payment.ts';
import type { RefundRefusal } from '../domain/refusals.ts';
import type { PaymentPorts, Refund, RefundDecision } from '../ports.ts';
import { attemptRefund } from './cancel-payment.ts';

export type RefundResolution = 'RETRY' | 'SETTLED_OUTSIDE';

/**
 * An operator resolves a failed refund: it is sent to the provider again now, or the customer got the
 * money another way. The same resolution again changes nothing. Returns the payment afterwards, which
 * after a retry may still be REFUND_FAILED.
 */
export async function resolveRefund(
  ports: PaymentPorts,
  bookingId: string,
  resolution: RefundResolution,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  for (;;) {
    const payment = await ports.payments.findByBooking(bookingId);
    // A voided payment was never charged.
    if (!payment || payment.state.status === 'VOIDED') return paymentNotFound;
    const refund = await ports.payments.findRefund(payment.state.id);
    if (!refund?.hasFailed) return invalid('The refund of this booking has not failed.');
    const resolved =
      resolution === 'RETRY'
        ? await retry(ports, payment, refund, decision)
        : await resolveOutside(ports, payment, refund, decision);
    if (resolved !== 'stale') return resolved;
  }
}

async function retry(
  ports: PaymentPorts,
  payment: Payment,
  refund: Refund,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal> {
  if (refund.completedOutside) return invalid('The customer got the money another way.');
  if (refund.completed) return payment;
  const { bookingId } = payment.state;
  if (await ports.payments.retryFailedRefund(payment, decision)) {
    ports.log.info('refund retried', { bookingId, by: decision.operatorId });
    await ports.background.within(attemptRefund(ports, bookingId));
  }
  return (await ports.payments.findByBooking(bookingId)) ?? payment;
}

async function resolveOutside(
  ports: PaymentPorts,
  payment: Payment,
  refund: Refund,
  decision: RefundDecision,
): Promise<Payment | RefundRefusal | 'stale'> {
  if (refund.completedOutside) return payment;
  if (refund.completed) return invalid('The provider has refunded the money meanwhile.');
  if (refund.isDue) {
    return invalid('The provider has been sent the refund again: its outcome is unknown.');
  }
  const next = payment.refund(refund.amount);
  if (!(next instanceof Payment)) return 'stale';
  if ((await ports.payments.resolveOutside(payment, next, decision)) === 'stale') return 'stale';
  const { bookingId, refunded } = next.state;
  ports.log.info('refund completed outside the provider', {
    bookingId,
    refunded,
    by: decision.operatorId,
  });
  return next;
}

const invalid = (message: string): RefundRefusal => ({ type: 'InvalidRefund', message });
